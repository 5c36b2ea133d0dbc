package services

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestTwoInstancesOnOnePostgres: two instances of orders share a PostgreSQL, their consumer group and the gateway's calls. Each of them knows every
// order, a join takes its branches wherever they arrive, a reply reaches the client at the other instance, and each step is done once.
func TestTwoInstancesOnOnePostgres(t *testing.T) {
	t.Parallel() // most of it is waiting
	twoEntries(t, func(l *testLab, instances []*System) {
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
	})
}
