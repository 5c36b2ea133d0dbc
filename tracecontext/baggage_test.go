package tracecontext_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"

	"tracelab/tracecontext"
)

// members lists what a Baggage holds as text, properties included.
func members(b baggage.Baggage) map[string]string {
	m := map[string]string{}
	for _, x := range b.Members() {
		m[x.Key()] = x.Value()
		for _, p := range x.Properties() {
			m[x.Key()] += ";" + p.String()
		}
	}
	return m
}

func TestBaggageExtract(t *testing.T) {
	for _, c := range []struct {
		name, rule string
		lines      []string
		want       map[string]string
		refused    map[string]uint64
	}{
		{"one", "key=value", []string{"a=1"}, map[string]string{"a": "1"}, nil},
		{"several", "members are joined by commas", []string{"a=1,b=2"}, map[string]string{"a": "1", "b": "2"}, nil},
		{"white space", "around keys, values and commas it is no part of them", []string{" a =\t1 , b = 2 "}, map[string]string{"a": "1", "b": "2"}, nil},
		{"properties", "after semicolons, with and without a value", []string{"a=1;x;y=2 ; z"}, map[string]string{"a": "1;x;y=2;z"}, nil},
		{"percent-encoding", "values are UTF-8, percent-encoded", []string{"a=%C3%A4%20b%2Cc"}, map[string]string{"a": "ä b,c"}, nil},
		{"percent-encoding, not UTF-8", "each byte that is no UTF-8 becomes U+FFFD", []string{"a=%FF"}, map[string]string{"a": "\uFFFD"}, nil},
		{"percent-encoding, not UTF-8 in between", "the rest is kept", []string{"a=x%C3%28y%FF%feZ"}, map[string]string{"a": "x\uFFFD(y\uFFFD\uFFFDZ"}, nil},
		{"percent-encoding, half a character", "it is no UTF-8", []string{"a=%E2%82"}, map[string]string{"a": "\uFFFD\uFFFD"}, nil},
		{"percent-encoding, a surrogate", "it is no UTF-8", []string{"a=%ED%A0%80"}, map[string]string{"a": "\uFFFD\uFFFD\uFFFD"}, nil},
		{"percent-encoding in a property, not UTF-8", "values of properties too", []string{"a=1;p=%FF"}, map[string]string{"a": "1;p=%EF%BF%BD"}, nil},
		{"bytes that are not UTF-8", "a value is ASCII", []string{"a=\xff\xfe,b=2"}, map[string]string{"b": "2"}, map[string]uint64{"baggage_member": 1}},
		{"a key that is not UTF-8", "a key is a token", []string{"\xff=1,%FF=2"}, map[string]string{"%FF": "2"}, map[string]uint64{"baggage_member": 1}},
		{"equals signs in a value", "the first one divides", []string{"a=b=c"}, map[string]string{"a": "b=c"}, nil},
		{"empty value", "a value may be empty", []string{"a="}, map[string]string{"a": ""}, nil},
		{"several lines", "lines are joined", []string{"a=1", "b=2,c=3"}, map[string]string{"a": "1", "b": "2", "c": "3"}, nil},
		{"same key", "OpenTelemetry keeps the last", []string{"a=1,a=2"}, map[string]string{"a": "2"}, nil},
		{"same key over lines", "OpenTelemetry keeps the last", []string{"a=1", "a=2"}, map[string]string{"a": "2"}, nil},
		{"empty elements", "a list may have them", []string{"a=1,, ,b=2,"}, map[string]string{"a": "1", "b": "2"}, nil},
		{"no value", "the others are kept", []string{"a=1,b,c=3"}, map[string]string{"a": "1", "c": "3"}, map[string]uint64{"baggage_member": 1}},
		{"bad key", "a key is a token", []string{"a b=1,c=3"}, map[string]string{"c": "3"}, map[string]uint64{"baggage_member": 1}},
		{"bad escape", "a percent sign begins an escape", []string{"a=%zz,c=3"}, map[string]string{"c": "3"}, map[string]uint64{"baggage_member": 1}},
		{"bad character", "a value is ASCII", []string{"a=ä,c=3"}, map[string]string{"c": "3"}, map[string]uint64{"baggage_member": 1}},
		{"bad property", "the member goes with it", []string{"a=1;=,c=3"}, map[string]string{"c": "3"}, map[string]uint64{"baggage_member": 1}},
		{"nothing valid", "no baggage", []string{"=,=;,\x00"}, map[string]string{}, map[string]uint64{"baggage_member": 3}},
		{"64 members", "all are kept", []string{many(64)}, nil, nil},
		{"65 members", "the first 64 are kept", []string{many(65)}, nil, map[string]uint64{"baggage_members": 1}},
		{"8192 bytes", "all are kept", []string{"a=" + strings.Repeat("x", 8190)}, map[string]string{"a": strings.Repeat("x", 8190)}, nil},
		{"8193 bytes in one member", "nothing is kept", []string{"a=" + strings.Repeat("x", 8191)}, map[string]string{}, map[string]uint64{"baggage_bytes": 1}},
		{"8193 bytes", "the members before are kept", []string{"a=1,b=" + strings.Repeat("x", 8187)}, map[string]string{"a": "1"}, map[string]uint64{"baggage_bytes": 1}},
		{"8193 bytes over lines", "the limit is one for all lines", []string{"a=1", "b=" + strings.Repeat("x", 8187)}, map[string]string{"a": "1"}, map[string]uint64{"baggage_bytes": 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := tracecontext.New()
			ctx := p.Extract(t.Context(), propagation.HeaderCarrier{"Baggage": c.lines})
			got := members(baggage.FromContext(ctx))
			if c.want == nil {
				c.want = members64()
			}
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("%v, want %v: %s", got, c.want, c.rule)
			}
			if c.refused == nil {
				c.refused = map[string]uint64{}
			}
			if n := p.Refusals().Counts(); fmt.Sprint(n) != fmt.Sprint(c.refused) {
				t.Errorf("refused %v, want %v", n, c.refused)
			}
		})
	}
}

func many(n int) string {
	var m []string
	for i := range n {
		m = append(m, fmt.Sprintf("k%02d=%d", i, i))
	}
	return strings.Join(m, ",")
}

func members64() map[string]string {
	m := map[string]string{}
	for i := range 64 {
		m[fmt.Sprintf("k%02d", i)] = fmt.Sprint(i)
	}
	return m
}

func inject(ctx context.Context) string {
	c := propagation.MapCarrier{}
	tracecontext.New().Inject(ctx, c)
	return c["baggage"]
}

func TestBaggagePassesOnAsItCame(t *testing.T) {
	const raw = "b=2 ;p ,  a=%41"
	ctx := tracecontext.New().Extract(t.Context(), propagation.MapCarrier{"baggage": raw})
	if got := inject(ctx); got != raw {
		t.Errorf("unread baggage is written as %q, want %q", got, raw)
	}
	if n := baggage.FromContext(ctx).Len(); n != 2 {
		t.Fatalf("%d members, want 2", n)
	}
	if got := inject(context.WithValue(ctx, http.ServerContextKey, 1)); got != raw {
		t.Errorf("read baggage is written as %q, want %q", got, raw)
	}
}

func TestBaggageChangedIsWrittenAnew(t *testing.T) {
	const raw = "b=2;p,  a=%41"
	ctx := tracecontext.New().Extract(t.Context(), propagation.MapCarrier{"baggage": raw})
	m, err := baggage.NewMemberRaw("c", "x y")
	if err != nil {
		t.Fatal(err)
	}
	bag, err := baggage.FromContext(ctx).SetMember(m)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := inject(baggage.ContextWithBaggage(ctx, bag)), "a=A,b=2;p,c=x%20y"; got != want {
		t.Errorf("changed baggage is written as %q, want %q", got, want)
	}
	if got := inject(baggage.ContextWithoutBaggage(ctx)); got != "" {
		t.Errorf("removed baggage is written as %q", got)
	}
	one, err := baggage.New(m)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := inject(baggage.ContextWithBaggage(ctx, one)), "c=x%20y"; got != want {
		t.Errorf("baggage in the place of an unread one is written as %q, want %q", got, want)
	}
}

// What was refused must not travel on.
func TestBrokenBaggageIsNotPassedOn(t *testing.T) {
	ctx := tracecontext.New().Extract(t.Context(), propagation.MapCarrier{"baggage": "b=2,broken,a=1"})
	if got, want := inject(ctx), "a=1,b=2"; got != want {
		t.Errorf("baggage is written as %q, want %q", got, want)
	}
}

func TestBaggageOfTheContextStaysWithoutHeader(t *testing.T) {
	m, err := baggage.NewMemberRaw("own", "1")
	if err != nil {
		t.Fatal(err)
	}
	own, err := baggage.New(m)
	if err != nil {
		t.Fatal(err)
	}
	ctx := baggage.ContextWithBaggage(t.Context(), own)
	for _, header := range []string{"", "broken"} {
		got := tracecontext.New().Extract(ctx, propagation.MapCarrier{"baggage": header})
		if v := baggage.FromContext(got).Member("own").Value(); v != "1" {
			t.Errorf("header %q: baggage of the context is gone", header)
		}
	}
}

// At most 64 members and 8192 bytes are written, by whole members, and no member
// is left out within the limits.
func TestBaggageKeepsWithinLimits(t *testing.T) {
	for _, c := range []struct {
		name           string
		members, value int // how many, and how many bytes the value of each has
		last           int // how many bytes the value of the last has
		written, bytes int
		refused        map[string]uint64
	}{
		{"64 members", 64, 1, 1, 64, 64*6 - 1, nil},
		{"65 members", 65, 1, 1, 64, 64*6 - 1, map[string]uint64{"baggage_members": 1}},
		{"8192 bytes", 2, 4000, 4183, 2, 8192, nil},
		{"8193 bytes", 2, 4000, 4184, 1, 4004, map[string]uint64{"baggage_bytes": 1}},
		{"one member of 8192 bytes", 1, 0, 8188, 1, 8192, nil},
		{"one member of 8193 bytes", 1, 0, 8189, 0, 0, map[string]uint64{"baggage_bytes": 1}},
		{"64 members in 8192 bytes", 64, 123, 124, 64, 8192, nil},
		{"one too large in between", 3, 8180, 1, 2, 8190, map[string]uint64{"baggage_bytes": 1}},
		{"70 of 204 bytes", 70, 200, 200, 39, 7994, map[string]uint64{"baggage_bytes": 31}},
	} {
		t.Run(c.name, func(t *testing.T) {
			bag := baggage.Baggage{}
			for i := range c.members {
				size := c.value
				if i == c.members-1 {
					size = c.last
				}
				m, err := baggage.NewMemberRaw(fmt.Sprintf("k%02d", i), strings.Repeat("x", size))
				check(t, err)
				bag, err = bag.SetMember(m)
				check(t, err)
			}
			p, out := tracecontext.New(), propagation.MapCarrier{}
			p.Inject(baggage.ContextWithBaggage(t.Context(), bag), out)
			written := 0
			if out["baggage"] != "" {
				written = strings.Count(out["baggage"], ",") + 1
			}
			if written != c.written || len(out["baggage"]) != c.bytes {
				t.Errorf("%d members and %d bytes written, want %d and %d", written, len(out["baggage"]), c.written, c.bytes)
			}
			if n := p.Refusals().Counts(); fmt.Sprint(n) != fmt.Sprint(c.refused) && len(n)+len(c.refused) > 0 {
				t.Errorf("refused %v, want %v", n, c.refused)
			}
		})
	}
}

// Many readers may ask one context for its baggage at once.
func TestLazyBaggageIsSafe(t *testing.T) {
	p := tracecontext.New()
	ctx := p.Extract(t.Context(), propagation.MapCarrier{"baggage": "a=1,b,c=3"})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if n := baggage.FromContext(ctx).Len(); n != 2 {
				t.Errorf("%d members, want 2", n)
			}
			if got := inject(ctx); got != "a=1,c=3" {
				t.Errorf("written as %q", got)
			}
		})
	}
	wg.Wait()
	if n := p.Refusals().Count(tracecontext.BaggageMember); n != 1 {
		t.Errorf("the broken member was counted %d times, want once", n)
	}
}
