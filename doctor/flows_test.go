package doctor_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"tracelab/doctor"
	"tracelab/internal/testkit"
	"tracelab/services"
	"tracelab/services/flows"
)

// TestEveryFlowIsProbed walks the chain of each built-in flow, of generated ones, and of one with names that stand nowhere else.
func TestEveryFlowIsProbed(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][]string{
		"order":    {"order-rest", "order-grpc", "order-kafka", "trace-rest", "trace-grpc", "trace-kafka"},
		"ride":     {"order-rest", "order-grpc", "order-kafka", "trace-rest", "trace-grpc", "trace-kafka"},
		"reaction": {"order-rest", "order-grpc", "order-kafka", "trace-rest", "trace-grpc", "trace-kafka"},
		"profile":  {"order-one-by-one", "order-graphql", "order-view", "view-view", "trace-one-by-one", "trace-graphql", "trace-view"},
		"activity": {"order-call", "order-message", "order-batch", "trace-call", "trace-message", "trace-batch"},
		"chain:4":  nil, "fan-out:4": nil,
		"../smoke/testdata/bakery.yaml": {"order-called", "order-baked", "order-trays", "order-glance", "view-glance", "trace-called", "trace-baked", "trace-trays", "trace-glance"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			flow, err := flows.Load(name)
			if err != nil {
				t.Fatal(err)
			}
			report := examine(t, startFlow(t, flow, nil).config)
			var probed []string
			for _, c := range report.Checks {
				if c.Status != doctor.OK {
					t.Errorf("%+v", c)
				}
				if kind, _, _ := strings.Cut(c.Name, "-"); kind == "order" || kind == "view" || kind == "trace" {
					probed = append(probed, c.Name)
				}
			}
			if want != nil && !slices.Equal(probed, want) || len(probed) == 0 {
				t.Errorf("probed %q, want %q", probed, want)
			}
		})
	}
}

// batched has no message but one that is handled in batches.
const batched = `flow: press
body: {title: text 1..10}
steps:
  desk.Write: {wait: 1ms}
  press.Print: {after: desk.Write, message: page.written, wait: 1ms}
forms:
  called: {each: grpc}
  sheets: {each: kafka, desk.Write: grpc, press.Print: "kafka in batches of 10, 20ms"}
`

// TestBrokenBatchesAndViewsAreNamed breaks what a consumer of batches and a view need.
func TestBrokenBatchesAndViewsAreNamed(t *testing.T) {
	t.Parallel()
	named := func(name string) *flows.Flow {
		flow, err := flows.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		return flow
	}
	press, err := flows.Parse("press.yaml", []byte(batched))
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]struct {
		flow       *flows.Flow
		odds       map[string]odd
		cut        func(*testLab)
		want, seen string
	}{
		"a batch's consumer is stopped":          {flow: named("activity"), odds: map[string]odd{"activity": {noKafka: true}}, want: "kafka-groups", seen: "group activity"},
		"a batch's consumer takes no context":    {flow: press, odds: map[string]odd{"press": {propagator: forgetful{services.Propagator(discard), "otelkgo"}}}, want: "trace-sheets", seen: "by a message on page.written, in a batch: the span press.Print of press is in a trace without a link"},
		"a view's consumer is stopped":           {flow: named("profile"), odds: map[string]odd{"pages": {noKafka: true, unready: true}}, want: "services", seen: "the gateway waits for pages"},
		"a service that feeds a view is stopped": {flow: named("profile"), odds: map[string]odd{"posts": {absent: true}, "pages": {unready: true}, "gateway": {unready: true}}, want: "services", seen: "posts"},
		"a view gets no updates any more":        {flow: named("profile"), cut: func(l *testLab) { refuse(l, "page.changed"); awaitBroken(t, l) }, want: "view-view", seen: "none came for that long"},
	} {
		t.Run(name, func(t *testing.T) {
			if name != "a view's consumer is stopped" {
				testkit.Unraced(t, "TestBrokenBatchesAndViewsAreNamed/a view's consumer is stopped")
			}
			t.Parallel()
			l := startFlow(t, b.flow, b.odds)
			if b.cut != nil {
				b.cut(l)
			}
			brokenFirst(t, name, l.config, b.want, b.seen)
		})
	}
}

// awaitBroken walks the chain until something is found to be broken: a view grows old.
func awaitBroken(t *testing.T, l *testLab) {
	t.Helper()
	config := l.config
	config.Prometheus, config.Grafana, config.Pyroscope = "", "", ""
	testkit.Await(t, "a broken hop", time.Minute, func(context.Context) error {
		if report := examine(t, config); report.FirstBroken == nil {
			return errors.New("all is well")
		}
		return nil
	})
}
