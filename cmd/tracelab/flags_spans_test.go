package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"tracelab/journey"
	"tracelab/services"
)

// spanFlagCases are of flags that say which spans are made, and where they go.
func spanFlagCases() map[string]func(*testing.T) {
	return map[string]func(*testing.T){
		"relation": func(t *testing.T) {
			for relation, traces := range map[string]int{"both": 1, "parent": 1, "link": 9} {
				result, _ := do(t, "--forms", "kafka", "--relation", relation)
				process := named(spans(t, result, services.Kafka), "process order.placed")[0]
				if got := result.Forms[services.Kafka].Traces; got != traces || result.Relation != relation {
					t.Errorf("%s: %d traces, want %d", relation, got, traces)
				}
				if parent, link := !process.Parent.IsZero(), len(process.Links) > 0; parent != (relation != "link") || link != (relation != "parent") {
					t.Errorf("%s: a parent: %v, a link: %v", relation, parent, link)
				}
			}
		},
		"otlp": func(t *testing.T) {
			if result, came := sendTo(t); came != result.Sent || int64(came) != result.Spans.Exported || came == 0 {
				t.Errorf("%d spans came, %d sent, %d made", came, result.Sent, result.Spans.Exported)
			}
		},
		"sample": func(t *testing.T) {
			if result, came := sendTo(t, "--sample", "0"); came != 0 || result.Forms[services.GRPC].Journeys != 1 {
				t.Errorf("%d spans came of a sample of 0", came)
			}
		},
		"host": func(t *testing.T) {
			result, _ := do(t, "--host", "lab-7")
			for _, s := range spans(t, result, services.GRPC) {
				if s.Resource.HostID != "lab-7" || s.Resource.HostName != "lab-7" {
					t.Errorf("%s of %s: host %q, %q", s.Name, s.Service, s.Resource.HostID, s.Resource.HostName)
				}
			}
		},
		"polls": func(t *testing.T) {
			for _, made := range []bool{false, true} {
				result, _ := do(t, "--forms", "kafka", "--polls="+strconv.FormatBool(made))
				set := journey.NewSet(spans(t, result, ""))
				n := 0
				for i := range journey.Index(set.Len()) { // those that failed have a span either way
					if set.Shared(i) && set.Span(i).Status != journey.StatusError {
						n++
					}
				}
				if (n > 0) != made {
					t.Errorf("--polls=%v: %d spans of polls and commits that did not fail", made, n)
				}
			}
		},
		"headers": func(t *testing.T) {
			for _, kept := range []bool{false, true} {
				result, _ := do(t, "--forms", "kafka", "--headers="+strconv.FormatBool(kept))
				for name, key := range map[string]string{"POST /orders": "http.request.header.traceparent", "send order.placed": "messaging.header.traceparent"} {
					for _, s := range named(spans(t, result, services.Kafka), name) {
						if value, ok := s.Attr(key); ok != kept || kept && !strings.Contains(value.String(), s.Trace.String()) {
							t.Errorf("--headers=%v: %s of %s has %s %v", kept, s.Name, s.Service, key, value)
						}
					}
				}
			}
		},
	}
}

// outputFlagCases are of flags that say what is written.
func outputFlagCases() map[string]func(*testing.T) {
	return map[string]func(*testing.T){
		"profiles": func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "deep", "down")
			result, _ := do(t, "--profiles", dir)
			p, f := result.Profile, result.Forms[services.GRPC].CPU
			if p == nil || f == nil || p.Samples != f.Samples+p.NoForm.Samples {
				t.Fatalf("profile %+v, of the form %+v", p, f)
			}
			for _, name := range []string{f.File, p.NoForm.File} {
				if file, err := os.Stat(name); err != nil || file.Size() == 0 || filepath.Dir(name) != dir {
					t.Errorf("%s: %v", name, err)
				}
			}
			var out, talk bytes.Buffer
			args := []string{"run", "--target", "http://127.0.0.1:1", "--receive-otlp", "127.0.0.1:0", "--profiles", dir, "--out", t.TempDir()}
			if status := run(t.Context(), args, nil, &out, &talk); status != exitUsage || !strings.Contains(talk.String(), "serve --pyroscope") {
				t.Errorf("with --target: exit status %d: %s", status, talk.String())
			}
		},
		"out": func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "deep", "down")
			if result, _ := do(t, "--out", out); filepath.Dir(result.Dir) != out {
				t.Errorf("written to %s, want it in %s", result.Dir, out)
			}
		},
		"format": func(t *testing.T) {
			var out, talk bytes.Buffer
			run(t.Context(), []string{"run", "--forms", "grpc", "--orders", "1", "--warm-up", "0", "--out", t.TempDir(), "--format", "text"}, nil, &out, &talk)
			if !strings.HasPrefix(out.String(), "1 order of the form grpc") {
				t.Errorf("text: %s", out.String())
			}
		},
	}
}
