package lab_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/internal/testkit"
	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/lab"
	"tracelab/services"
)

func TestRunDirectory(t *testing.T) {
	t.Parallel() // in virtual time
	result := quickly(t, func(c *lab.Config) { c.Orders, c.Seed, c.Polls = 3, 7, true })
	if name := filepath.Base(result.Dir); name != result.Run || !regexp.MustCompile(`^\d{8}-\d{6}\.\d{6}-7$`).MatchString(name) {
		t.Errorf("the directory of run %s is %s, want <time>-<seed>", result.Run, name)
	}
	want := []string{"grpc.otlp.jsonl", "hybrid.otlp.jsonl", "kafka.otlp.jsonl", "orders.jsonl", "rest.otlp.jsonl", "run.json", "shared.otlp.jsonl"}
	if diff := cmp.Diff(want, names(t, result.Dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	out := filepath.Dir(result.Dir)
	if diff := cmp.Diff([]string{result.Run, "latest"}, names(t, out)); diff != "" {
		t.Errorf("beside it (-want +got):\n%s", diff)
	}
	if to, err := os.Readlink(filepath.Join(out, "latest")); err != nil || to != result.Run {
		t.Errorf("latest leads to %q (%v), want %s", to, err, result.Run)
	}

	total := 0
	for form, f := range result.Forms {
		lines := readSpans(t, filepath.Join(result.Dir, string(form)+".otlp.jsonl"))
		if len(lines) != 3 {
			t.Errorf("%s has %d lines, want one for each order", form, len(lines))
		}
		spans := 0
		for number, line := range lines {
			spans += len(line)
			for _, span := range line {
				if of, run := attributeOf(span, services.KeyForm), attributeOf(span, services.KeyRun); of != string(form) || run != result.Run {
					t.Errorf("%s has %s of form %q, run %q", form, span.Name(), of, run)
				}
				if n := attributeOf(span, services.KeyNumber); n != strconv.Itoa(number) {
					t.Errorf("%s:%d has a span of order %s", form, number+1, n)
				}
				if operation := attributeOf(span, "messaging.operation.type"); operation == "receive" || operation == "settle" {
					t.Errorf("%s has %s, which serves several orders", form, span.Name())
				}
			}
		}
		if spans != f.SpanCount {
			t.Errorf("%s has %d spans, the report says %d", form, spans, f.SpanCount)
		}
		total += spans
	}

	shared := slices.Concat(readSpans(t, filepath.Join(result.Dir, "shared.otlp.jsonl"))...)
	operations := map[string]int{}
	for _, span := range shared {
		operations[attributeOf(span, "messaging.operation.type")]++
		if n := attributeOf(span, services.KeyNumber); n != "" {
			t.Errorf("%s of order %s is shared", span.Name(), n)
		}
	}
	if operations["receive"] == 0 || operations["settle"] == 0 || len(operations) != 2 {
		t.Errorf("shared operations %v, want polls and commits", operations)
	}
	if len(shared) != result.Shared {
		t.Errorf("%d spans are shared, the report says %d", len(shared), result.Shared)
	}
	// There was no warm-up: every span is in one of the files.
	if got := int64(total + len(shared)); got != result.Spans.Exported {
		t.Errorf("%d spans in the files, %d were exported", got, result.Spans.Exported)
	}
}

func TestRunDirectoryHasEveryOrder(t *testing.T) {
	t.Parallel() // in virtual time
	result := quickly(t, func(c *lab.Config) {
		c.Orders, c.WarmUp, c.Windows, c.Faults = 3, 2, 1, faults("payment:error=payment_declined@0.5")
	})
	seen := map[string]int{}
	for _, o := range readOrders(t, result) {
		seen[o.Form+strconv.Itoa(o.Number)]++
		if o.ID == "" || o.Trace == "" || o.Status == 0 || o.Intended.IsZero() || o.CallerWait <= 0 || o.Response < o.CallerWait || o.Incomplete != "" {
			t.Errorf("order %+v", o)
		}
		if failed := o.Status >= 400; failed != (o.Error == "payment_declined") {
			t.Errorf("order %+v", o)
		}
	}
	if len(seen) != 12 || slices.Max(slices.Collect(maps.Values(seen))) != 1 {
		t.Errorf("orders %v, want three of each form, once", seen)
	}
}

// TestRunDirectoryGivesTheSameJourneys reads the directory back and compares what the run had in memory.
func TestRunDirectoryGivesTheSameJourneys(t *testing.T) {
	t.Parallel() // in virtual time
	for _, name := range []string{"both", "link"} {
		result := quickly(t, func(c *lab.Config) { c.Orders, c.WarmUp, c.Windows, c.Relation = 4, 1, 1, relation(name) }) // too few to look for a higher rate afterwards
		for form, f := range result.Forms {
			journeys := group(t, result, form)
			described := compare.Describe(compare.Group{Journeys: plain(journeys)})
			for measure, pair := range map[string][2]*compare.Summary{
				"caller wait": {&f.CallerWait, described.Of(compare.CallerWait)}, "completion": {&f.Completion, described.Of(compare.Completion)},
				"tail": {&f.Tail, described.Of(compare.Tail)}, "queue wait": {f.QueueWait, described.Of(compare.QueueWait)},
			} {
				if diff := cmp.Diff(pair[0], pair[1]); diff != "" {
					t.Errorf("%s, %s: %s (-memory +directory):\n%s", name, form, measure, diff)
				}
			}
			want := &drawn{result.MedianJourney(form), ""}
			i := slices.IndexFunc(journeys, func(j *drawn) bool { return j.Traces()[0] == want.Traces()[0] })
			if i < 0 {
				t.Fatalf("%s, %s: the median order is not in the directory", name, form)
			}
			if diff := cmp.Diff(want.String(), journeys[i].String()); diff != "" {
				t.Errorf("%s, %s (-memory +directory):\n%s", name, form, diff)
			}
		}
	}
}

func plain(journeys []*drawn) []*journey.Journey {
	list := make([]*journey.Journey, len(journeys))
	for i, j := range journeys {
		list[i] = j.Journey
	}
	return list
}

// TestLatestIsTheNewestRun also finds that a run that cannot be written leaves nothing behind.
func TestLatestIsTheNewestRun(t *testing.T) {
	t.Parallel() // in virtual time
	out := t.TempDir()
	again := func(seed uint64) (result *lab.Result, err error) {
		synctest.Test(t, func(t *testing.T) {
			network := &virtualNetwork{}
			result, err = lab.Run(t.Context(), lab.Config{Orders: 1, Seed: seed, Forms: []services.Form{services.REST}, Out: out, Network: network.network()})
		})
		return result, err
	}
	var newest *lab.Result
	for seed := range uint64(2) {
		var err error
		if newest, err = again(seed); err != nil {
			t.Fatal(err)
		}
	}
	if to, err := os.Readlink(filepath.Join(out, "latest")); err != nil || to != newest.Run {
		t.Errorf("latest leads to %q (%v), want %s", to, err, newest.Run)
	}
	before := names(t, out)
	// Virtual time begins at the same moment again, so this run has the name of the one before it.
	if _, err := again(1); err == nil || !strings.Contains(err.Error(), newest.Run) {
		t.Errorf("a run with a name that is taken: %v", err)
	}
	if diff := cmp.Diff(before, names(t, out)); diff != "" {
		t.Errorf("the failed run has left (-before +after):\n%s", diff)
	}
}

func TestRunDirectoryThatCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{file, filepath.Join(file, "runs")} {
		started := ""
		_, err := lab.Run(t.Context(), lab.Config{Out: out, Progress: func(at lab.Progress) { started = at.Stage }})
		if err == nil || !strings.Contains(err.Error(), out) || !strings.Contains(err.Error(), "choose another with --out") {
			t.Errorf("%s: %v", out, err)
		}
		if started != "" {
			t.Errorf("%s: %s, though nothing can be written", out, started)
		}
	}
}

// TestSpansOfNoOrderBelongNowhere sorts spans that somebody else has sent to the lab's receiver.
func TestSpansOfNoOrderBelongNowhere(t *testing.T) {
	traces := ptrace.NewTraces()
	stranger := traces.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	stranger.AppendEmpty().SetName("of another service, without an order")
	ours := traces.ResourceSpans().AppendEmpty()
	ours.Resource().Attributes().PutStr("service.name", "orders")
	spans := ours.ScopeSpans().AppendEmpty().Spans()
	for _, attributes := range []map[string]any{
		{services.KeyRun: "this", services.KeyForm: "grpc", services.KeyNumber: "0"}, // of an order
		{services.KeyRun: "this", services.KeyForm: "grpc", services.KeyNumber: "1"}, // of another one
		{}, // shared
		{services.KeyRun: "that", services.KeyForm: "grpc", services.KeyNumber: "0"}, // of another run
		{services.KeyRun: "this"}, // the rest: of nothing that the lab has placed
		{services.KeyRun: "this", services.KeyForm: "grpc"},
		{services.KeyRun: "this", services.KeyForm: "grpc", services.KeyNumber: "first"},
		{services.KeyRun: "this", services.KeyForm: "grpc", services.KeyNumber: 1},
		{services.KeyRun: "this", services.KeyForm: "../grpc", services.KeyNumber: "0"},
		{services.KeyRun: 1, services.KeyForm: 2, services.KeyNumber: 3},
	} {
		if err := spans.AppendEmpty().Attributes().FromRaw(attributes); err != nil {
			t.Fatal(err)
		}
	}
	batch, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(traces)
	if err != nil {
		t.Fatal(err)
	}
	store := testkit.NewSpanStore()
	store.Add(batch)
	store.Add([]byte("damaged"))
	judge := lab.NewJudge(t, "this", 10, nil)
	judge.Take(t, store)
	if form, shared, foreign := judge.SpansOf(); form != 2 || shared != 1 || foreign != 8 {
		t.Errorf("%d spans of orders, %d shared, %d foreign, want 2, 1 and 8", form, shared, foreign)
	}
}
