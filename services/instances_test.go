package services

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestTwoInstancesOnOnePostgres: two instances of orders share a PostgreSQL, their consumer group and the gateway's calls. Each of them knows every
// order, a join takes its branches wherever they arrive, a reply reaches the client at the other instance, and each step is done once.
func TestTwoInstancesOnOnePostgres(t *testing.T) {
	url := postgresServer.URL(t)
	var instances []*System
	open := func() *Store {
		s, err := OpenStore(t.Context(), url, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	onLoopback(t, func(l *testLab) {
		defer func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			for _, s := range instances {
				l.must(s.Shutdown(ctx))
			}
		}()
		var ids []string
		for number := range 16 {
			e := in("r", []Form{Kafka, "reply"}[number%2])
			e.Number = number / 2
			a := l.place(e, tea)
			if a.status/100 != 2 {
				l.Errorf("%s: answered %d %s", e.Form, a.status, a.body)
			}
			ids = append(ids, a.id())
		}
		for _, id := range ids {
			if s := l.await(id); s.Status != Completed {
				l.Errorf("%+v, want it completed", s)
			}
			var told []string
			for _, s := range instances {
				a := l.sendTo(context.Background(), s.Address(Orders), http.MethodGet, "/orders/"+id, "", nil)
				told = append(told, fmt.Sprint(a.status, " ", string(a.body)))
			}
			if told[0] != told[1] || !strings.HasPrefix(told[0], "200") {
				l.Errorf("one instance says %s, the other %s", told[0], told[1])
			}
		}
		for _, form := range []Form{Kafka, "reply"} {
			l.until("each step is counted once", func() bool {
				a := l.summary().Forms[form]
				once := 0
				for _, effect := range a.Effects {
					once += effect.Once
				}
				return a.Completed == 8 && a.Accepted == 8 && once == 8*7
			})
		}
	}, func(c *Config) {
		var addresses, rpc []string
		for range 2 {
			own := *c
			own.Services, own.HTTP, own.GRPC, own.Store = []string{Orders}, nil, nil, open()
			s, err := Start(context.Background(), own)
			if err != nil {
				t.Fatal(err)
			}
			instances = append(instances, s)
			addresses, rpc = append(addresses, s.Address(Orders)), append(rpc, s.GRPCAddress(Orders))
		}
		c.Services = slices.DeleteFunc(slices.Clone(c.Services), func(name string) bool { return name == Orders })
		c.HTTP, c.GRPC, c.Store = map[string]string{Orders: strings.Join(addresses, ",")}, map[string]string{Orders: strings.Join(rpc, ",")}, open()
	})
}
