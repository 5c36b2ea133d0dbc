package services

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"tracelab/internal/telemetry"

	"github.com/google/pprof/profile"
	"tracelab/services/flows"
)

// profileReceiver is a receiver of ours in the place of Pyroscope, which CI does not have: it speaks what pyroscope-go
// pushes, POST /ingest with a multipart form, and keeps the profiles.
type profileReceiver struct {
	mu       sync.Mutex
	profiles []*profile.Profile
	errs     []error
}

func (r *profileReceiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	p, err := readPush(req)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.errs = append(r.errs, err)
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	r.profiles = append(r.profiles, p)
}

// readPush checks a push and reads its profile.
func readPush(req *http.Request) (*profile.Profile, error) {
	if req.Method != http.MethodPost || req.URL.Path != "/ingest" {
		return nil, fmt.Errorf("%s %s, want POST /ingest", req.Method, req.URL.Path)
	}
	q := req.URL.Query()
	for key, want := range map[string]string{"spyName": "gospy", "sampleRate": "100", "units": "samples", "aggregationType": "sum"} {
		if q.Get(key) != want {
			return nil, fmt.Errorf("%s=%s, want %s", key, q.Get(key), want)
		}
	}
	if name := q.Get("name"); !strings.HasPrefix(name, "tracelab{") || !strings.Contains(name, "instance=7") || !strings.Contains(name, "hostname=host") {
		return nil, fmt.Errorf("name=%s, want tracelab with its tags", name)
	}
	from, err1 := strconv.ParseInt(q.Get("from"), 10, 64)
	until, err2 := strconv.ParseInt(q.Get("until"), 10, 64)
	if err := errors.Join(err1, err2); err != nil || from >= until || time.Since(time.Unix(0, until)).Abs() > time.Minute {
		return nil, fmt.Errorf("from %d until %d: %w", from, until, err)
	}
	file, header, err := req.FormFile("profile")
	if err != nil || header.Filename != "profile.pprof" {
		return nil, fmt.Errorf("no file profile.pprof in the form field profile: %w", err)
	}
	body, err := io.ReadAll(file)
	if err != nil {
		return nil, err
	}
	p, err := profile.ParseData(body)
	if err != nil {
		return nil, err
	}
	if len(p.SampleType) != 2 || p.SampleType[1].Type != "cpu" || p.SampleType[1].Unit != "nanoseconds" || p.Period != 10_000_000 {
		return nil, fmt.Errorf("not a cpu profile: %v, period %d", p.SampleType, p.Period)
	}
	return p, p.CheckValid()
}

// values are those of a label in all profiles so far.
func (r *profileReceiver) values(label string) map[string]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	found := map[string]bool{}
	for _, p := range r.profiles {
		for _, sample := range p.Sample {
			for _, value := range sample.Label[label] {
				found[value] = true
			}
		}
	}
	return found
}

// TestProfilesArePushedWithLabels places orders until every service, form and step was met by a sample, and finds the
// profiles of spans.
func TestProfilesArePushedWithLabels(t *testing.T) {
	receiver := &profileReceiver{}
	server := httptest.NewServer(receiver)
	defer server.Close()
	var steps, forms []string
	for _, hop := range flows.Order().Rows {
		steps = append(steps, string(hop.Step))
	}
	for _, form := range Forms() {
		forms = append(forms, string(form))
	}
	onLoopback(t, func(l *testLab) {
		missing := func() []string {
			var words []string
			for label, want := range map[string][]string{telemetry.LabelService: Names(), telemetry.LabelForm: forms, telemetry.LabelStep: steps} {
				seen := receiver.values(label)
				for _, word := range want {
					if !seen[word] {
						words = append(words, label+"="+word)
					}
				}
				for word := range seen {
					if !slices.Contains(want, word) {
						t.Errorf("a sample has %s=%s", label, word)
					}
				}
			}
			return words
		}
		for deadline := time.Now().Add(40 * time.Second); len(missing()) > 0 && !t.Failed(); {
			if time.Now().After(deadline) {
				t.Fatalf("no sample met %v", missing())
			}
			profiles, err := telemetry.StartProfiles(server.URL, "test", "7", "host", slog.New(slog.DiscardHandler))
			l.must(err)
			l.loadFor(2 * time.Second)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			profiles.Stop(ctx)
			cancel()
		}
		l.must(errors.Join(receiver.errs...))
		l.must(l.stop(patience))
		checkSpanProfiles(l, receiver)
	}, func(c *Config) { c.Telemetry.Profiled = true })
}

// loadFor places orders in all forms for a while, side by side.
func (l *testLab) loadFor(during time.Duration) {
	var wg sync.WaitGroup
	until := time.Now().Add(during)
	for worker := range 16 {
		wg.Go(func() {
			for number := 0; time.Now().Before(until); number++ {
				for _, form := range Forms() {
					l.place(Experiment{Run: "r", Form: form, Number: number*16 + worker}, tea)
				}
			}
		})
	}
	wg.Wait()
	l.until("all orders are final", func() bool { return l.system.keeper.ledger.left() == 0 })
}

// checkSpanProfiles: every span by which an order enters a service names its profile, no other does, and the samples
// belong to such spans.
func checkSpanProfiles(l *testLab, receiver *profileReceiver) {
	l.Helper()
	named := map[string]bool{}
	for _, span := range l.ended() {
		id, has := attributes(span)["pyroscope.profile.id"]
		entry := span.SpanKind().String() == "server" || span.SpanKind().String() == "consumer"
		if has != entry || has && id.AsString() != span.SpanContext().SpanID().String() {
			l.Fatalf("%s %s of %s: pyroscope.profile.id %q, span id %s", span.SpanKind(), span.Name(), serviceOf(span), id.AsString(), span.SpanContext().SpanID())
		}
		if has {
			named[id.AsString()] = true
		}
	}
	ids := receiver.values("span_id")
	for id := range ids {
		if !named[id] {
			l.Errorf("samples of the span %s, which does not name its profile", id)
		}
	}
	if len(ids) < 10 {
		l.Errorf("only %d spans were met by samples", len(ids))
	}
}

// TestLabelsCostNothingWithoutAProfiler: services that are not profiled leave no label on anything.
func TestLabelsCostNothingWithoutAProfiler(t *testing.T) {
	inBubble(t, func(l *testLab) {
		ctx := context.Background()
		for _, n := range l.system.nodes {
			labels := n.telemetry.Labels
			if allocs := testing.AllocsPerRun(100, func() {
				inside, end := labels.Step(labels.Order(ctx), "step")
				if inside != ctx {
					t.Error("a label without a profiler")
				}
				end()
				labels.Service()
			}); allocs > 0 {
				t.Errorf("%g allocations", allocs)
			}
		}
	})
}
