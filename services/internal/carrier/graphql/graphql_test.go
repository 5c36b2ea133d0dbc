package graphql

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"

	"tracelab/internal/testmain"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/carrier/carriertest"
)

// TestMain finds goroutines that a test has left.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.Cleanup(testmain.Exit)) }

func steps(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("part-%d.Read", i)
	}
	return list
}

// TestAQueryResolvesItsFieldsSideBySide and only those, however many the schema has; its spans have today's names.
func TestAQueryResolvesItsFieldsSideBySide(t *testing.T) {
	carriertest.InBubble(t, func(b *carriertest.Bubble) {
		all := steps(200)
		s, err := New("fan-out", all, b.Provider)
		b.Must(err)
		resolved := make(chan string, len(all))
		start := time.Now()
		b.Must(s.Run(b.Context(), all[:150], func(ctx context.Context, step string) error {
			if !trace.SpanContextFromContext(ctx).IsValid() {
				t.Errorf("%s has no span", step)
			}
			time.Sleep(20 * time.Millisecond)
			resolved <- step
			return nil
		}))
		if took := time.Since(start); took != 20*time.Millisecond || len(resolved) != 150 {
			t.Errorf("%d fields took %v, want 150, and 20 ms in all", len(resolved), took)
		}
		query := b.Named("query")
		if len(query) != 1 {
			t.Fatalf("%d spans named query, want 1", len(query))
		}
		document := carriertest.Attribute(query[0], "graphql.document")
		if carriertest.Attribute(query[0], "graphql.operation.name") != "fan_out" || carriertest.Attribute(query[0], "graphql.operation.type") != "query" ||
			!strings.HasPrefix(document, "query fan_out { part_0Read part_1Read ") || len(document) > maxDocument+len("…") {
			t.Errorf("attributes %v", query[0].Attributes())
		}
		field := b.Named("Query.part_149Read")
		if len(field) != 1 || field[0].Parent().SpanID() != query[0].SpanContext().SpanID() || carriertest.Attribute(field[0], "graphql.field.name") != "part_149Read" {
			t.Errorf("spans of a field: %v", field)
		}
	})
}

// TestAFieldFailsAlone: its siblings end, and its span and the query's say why.
func TestAFieldFailsAlone(t *testing.T) {
	carriertest.InBubble(t, func(b *carriertest.Bubble) {
		s, err := New("page", steps(2), b.Provider)
		b.Must(err)
		ended := false
		err = s.Run(b.Context(), steps(2), func(_ context.Context, step string) error {
			if step == "part-0.Read" {
				return carrier.Fail(step, "gone", "nobody there")
			}
			time.Sleep(time.Second)
			ended = true
			return nil
		})
		if err != nil || !ended {
			t.Errorf("error %v, sibling ended: %v; want none, its resolver knows, and true", err, ended)
		}
		for _, name := range []string{"query", "Query.part_0Read"} {
			if span := b.Named(name)[0]; span.Status().Code != codes.Error || carriertest.Attribute(span, "error.type") != "gone" {
				t.Errorf("%s: %v, %v", name, span.Status(), span.Attributes())
			}
		}
		if span := b.Named("Query.part_1Read")[0]; span.Status().Code != codes.Unset {
			t.Errorf("the sibling: %v", span.Status())
		}
	})
}

// TestAQueryThatCannotBeResolved says why: its context has ended, or a resolver panicked.
func TestAQueryThatCannotBeResolved(t *testing.T) {
	carriertest.InBubble(t, func(b *carriertest.Bubble) {
		s, err := New("page", steps(2), b.Provider)
		b.Must(err)
		ctx, cancel := context.WithTimeout(b.Context(), time.Millisecond)
		defer cancel()
		err = s.Run(ctx, steps(1), func(ctx context.Context, _ string) error { <-ctx.Done(); return context.Cause(ctx) })
		if failed := carrier.AsFailed("", err); failed.Reason() != carrier.Timeout {
			t.Errorf("after the deadline: %v", err)
		}
		err = s.Run(b.Context(), steps(1), func(context.Context, string) error { panic("bug") })
		if failed := carrier.AsFailed("", err); failed.Reason() != carrier.Internal || len(b.Log.Lines("resolver panicked")) != 1 {
			t.Errorf("a panic: %v, %d lines in the log", err, len(b.Log.Lines("resolver panicked")))
		}
		synctest.Wait()
	})
}
