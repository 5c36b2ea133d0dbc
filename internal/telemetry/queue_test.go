package telemetry

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"

	"tracelab/internal/testmain"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.Cleanup(testmain.Exit)) }

// exporter takes spans the way that a test wants.
type exporter struct {
	mu       sync.Mutex
	exported int
	largest  int // batch
	shut     int
	export   func(ctx context.Context) error
}

// ExportSpans counts what it takes.
func (e *exporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if e.export != nil {
		if err := e.export(ctx); err != nil {
			return err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.exported += len(spans)
	e.largest = max(e.largest, len(spans))
	return nil
}

// Shutdown counts.
func (e *exporter) Shutdown(context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.shut++
	return nil
}

// makeSpans starts and ends spans on some goroutines at the same time.
func makeSpans(q *Queue, goroutines, each int) {
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(q))
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for range each {
				_, span := provider.Tracer("test").Start(context.Background(), "span")
				span.End()
			}
		})
	}
	wg.Wait()
}

// checkBalance holds the equality of a queue that is shut down.
func checkBalance(t *testing.T, q *Queue, e *exporter) Counts {
	t.Helper()
	c := q.Counts()
	if c.Started != c.Exported+c.Dropped {
		t.Errorf("started %d, exported %d, dropped %d: do not add up", c.Started, c.Exported, c.Dropped)
	}
	if int(c.Exported) != e.exported {
		t.Errorf("exported %d by the queue's account, %d by the exporter's", c.Exported, e.exported)
	}
	if e.shut != 1 {
		t.Errorf("the exporter was shut down %d times, want once", e.shut)
	}
	return c
}

func TestQueueAccountsForEverySpan(t *testing.T) {
	fail := errors.New("collector is away")
	for name, c := range map[string]struct {
		config  QueueConfig
		export  func(context.Context) error
		dropped func(n int64) bool
	}{
		"healthy":         {QueueConfig{}, nil, func(n int64) bool { return n == 0 }},
		"small batches":   {QueueConfig{Batch: 7}, nil, func(n int64) bool { return n == 0 }},
		"full":            {QueueConfig{Size: 4, Batch: 2}, func(context.Context) error { time.Sleep(time.Millisecond); return nil }, func(n int64) bool { return n > 0 }},
		"failing":         {QueueConfig{}, func(context.Context) error { return fail }, func(n int64) bool { return n == 4000 }},
		"full and waits":  {QueueConfig{Size: 4, Batch: 2, Wait: true}, func(context.Context) error { runtime.Gosched(); return nil }, func(n int64) bool { return n == 0 }},
		"failing, waits":  {QueueConfig{Size: 4, Wait: true}, func(context.Context) error { return fail }, func(n int64) bool { return n == 4000 }},
		"times out":       {QueueConfig{Timeout: time.Millisecond}, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, func(n int64) bool { return n == 4000 }},
		"fails sometimes": {QueueConfig{Batch: 5}, every(3, fail), func(n int64) bool { return n > 0 && n < 4000 }},
	} {
		t.Run(name, func(t *testing.T) {
			e := &exporter{export: c.export}
			q := NewQueue(e, c.config)
			makeSpans(q, 4, 1000)
			if err := q.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			counts := checkBalance(t, q, e)
			if counts.Started != 4000 || !c.dropped(counts.Dropped) {
				t.Errorf("%+v: not the spans that were started, or not the drops to expect", counts)
			}
			if c.config.Batch > 0 && e.largest > c.config.Batch {
				t.Errorf("a batch of %d, want at most %d", e.largest, c.config.Batch)
			}
		})
	}
}

// every makes each nth export fail.
func every(n int, err error) func(context.Context) error {
	calls := 0 // the queue exports one batch at a time
	return func(context.Context) error {
		if calls++; calls%n == 0 {
			return err
		}
		return nil
	}
}

func TestShutdownWhileSpansEnd(t *testing.T) {
	for name, wait := range map[string]bool{"drops": false, "waits": true} {
		t.Run(name, func(t *testing.T) {
			e := &exporter{}
			q := NewQueue(e, QueueConfig{Size: 16, Wait: wait})
			done := make(chan struct{})
			go func() { defer close(done); makeSpans(q, 4, 5000) }()
			for q.Counts().Exported < 100 {
				time.Sleep(time.Millisecond)
			}
			if err := q.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			<-done
			if c := checkBalance(t, q, e); c.Started != 20_000 {
				t.Errorf("%+v: want 20000 started", c)
			}
		})
	}
}

func TestShutdownGivesABlockedExporterUp(t *testing.T) {
	for name, config := range map[string]QueueConfig{
		"drops": {Size: 8, Batch: 4, Timeout: time.Hour},
		"waits": {Size: 8, Batch: 4, Timeout: time.Hour, Wait: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := &exporter{export: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
				q := NewQueue(e, config)
				go makeSpans(q, 5, 10) // with Wait they are held up until the end
				time.Sleep(time.Second)
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
				defer cancel()
				begin := time.Now()
				if err := q.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("Shutdown with a blocked exporter: %v, want the deadline's error", err)
				}
				if took := time.Since(begin); took > 3*time.Second+cancelGrace {
					t.Errorf("Shutdown took %v, want the 3s that it had", took)
				}
				synctest.Wait()
				if c := checkBalance(t, q, e); c.Started != 50 || c.Dropped != 50 {
					t.Errorf("%+v: want all 50 dropped", c)
				}
			})
		})
	}
}

func TestAnExporterThatHearsNothingCannotHoldShutdownUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		e := &exporter{export: func(context.Context) error { <-release; return errors.New("late") }}
		q := NewQueue(e, QueueConfig{Batch: 2})
		makeSpans(q, 1, 10)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		if err := q.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown: %v, want the deadline's error", err)
		}
		if took := time.Since(begin); took != time.Second+cancelGrace {
			t.Errorf("Shutdown took %v, want %v", took, time.Second+cancelGrace)
		}
		close(release)
		synctest.Wait()
		checkBalance(t, q, e)
	})
}

func TestFlushExportsWhatHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &exporter{}
		q := NewQueue(e, QueueConfig{Interval: time.Hour, Batch: 7})
		makeSpans(q, 2, 50)
		if err := q.ForceFlush(t.Context()); err != nil || q.Counts().Exported != 100 {
			t.Errorf("after the flush: %+v, %v: want 100 exported", q.Counts(), err)
		}
		if err := q.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if err := q.ForceFlush(t.Context()); err != nil {
			t.Errorf("flush of a queue that is shut down: %v", err)
		}
	})
}

func TestIntervalExportsASmallBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue(&exporter{}, QueueConfig{Interval: 50 * time.Millisecond})
		makeSpans(q, 1, 1)
		time.Sleep(51 * time.Millisecond)
		synctest.Wait()
		if got := q.Counts().Exported; got != 1 {
			t.Errorf("%d exported after the interval, want 1", got)
		}
		if err := q.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestDropsAreLogged: at once, then once a minute at the most, and in the end; the sums of the lines are the drops.
func TestDropsAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer
		e := &exporter{export: func(context.Context) error { return errors.New("collector is away") }}
		q := NewQueue(e, QueueConfig{Logger: slog.New(slog.NewTextHandler(&text, nil))})
		for range 90 { // seconds
			makeSpans(q, 1, 2)
			time.Sleep(time.Second)
		}
		if err := q.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		lines := strings.Split(strings.TrimSpace(text.String()), "\n")
		if len(lines) != 3 || !strings.Contains(lines[0], "collector is away") || !strings.Contains(lines[2], "dropped_so_far=180") {
			t.Errorf("log of 90 seconds of drops, want 3 lines, the first with the reason and the last with all 180:\n%s", text.String())
		}
	})
}

// TestSpansLostWithTheirServiceAreNotLoggedAsDropped by a slow exporter: the queue has nothing to do with them.
func TestSpansLostWithTheirServiceAreNotLoggedAsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer
		q := NewQueue(&exporter{}, QueueConfig{Logger: slog.New(slog.NewTextHandler(&text, nil))})
		q.OnLost(tracetest.SpanStub{SpanContext: trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}, TraceFlags: trace.FlagsSampled})}.Snapshot())
		time.Sleep(2 * time.Minute)
		if err := q.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if text.Len() > 0 || q.Lost() != 1 || q.Counts().Dropped != 1 {
			t.Errorf("lost %d, dropped %d, want 1; logged %q, want nothing", q.Lost(), q.Counts().Dropped, text.String())
		}
	})
}

// TestTheSumInWordsHolds names the spans that have not ended, where there are some.
func TestTheSumInWordsHolds(t *testing.T) {
	for want, c := range map[string]Counts{
		"started 3 = exported 2 + dropped 1":                     {Started: 3, Exported: 2, Dropped: 1},
		"started 310 = exported 186 + dropped 0 + not ended 124": {Started: 310, Exported: 186},
	} {
		if got := c.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestTheQueuesFunctionsAreFoundInProfiles holds the constant to the names that the runtime has.
func TestTheQueuesFunctionsAreFoundInProfiles(t *testing.T) {
	for _, method := range []any{(*Queue).OnEnd, (*Queue).work, (*Queue).export} {
		if name := runtime.FuncForPC(reflect.ValueOf(method).Pointer()).Name(); !strings.HasPrefix(name, QueueFunctions) {
			t.Errorf("%s does not begin with %s", name, QueueFunctions)
		}
	}
}

func TestUnsampledSpansAreNotCounted(t *testing.T) {
	e := &exporter{}
	q := NewQueue(e, QueueConfig{})
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(q), sdktrace.WithSampler(sdktrace.NeverSample()))
	_, span := provider.Tracer("test").Start(t.Context(), "span")
	span.End()
	if err := q.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if c := checkBalance(t, q, e); c != (Counts{}) {
		t.Errorf("%+v, want nothing", c)
	}
}
