package main

import (
	"bytes"
	"strings"
	"testing"

	"tracelab/services"
)

// troubleFlagCases are of flags that make trouble.
func troubleFlagCases() map[string]func(*testing.T) {
	return map[string]func(*testing.T){
		"link": func(t *testing.T) {
			result, status := do(t, "--orders", "4", "--link", "orders>payment:latency=60ms,to=1m", "--link", "payment>kafka:latency=1ms", "--forms", "grpc,kafka")
			wait := result.Forms[services.GRPC].CallerWait.Median
			if status != exitDone || wait == nil || *wait < 120 || len(result.Links) != 2 || result.LinksUsed[0].Bytes == 0 || result.LinksUsed[1].Bytes == 0 {
				t.Errorf("exit status %d, links %q, %+v, caller wait %v, problems %q", status, result.Links, result.LinksUsed, wait, result.Problems)
			}
		},
		"event": func(t *testing.T) {
			// payment stays away, so that orders meet that on any machine; and nothing that is under way then loses its spans
			result, status := do(t, "--orders", "10", "--rate", "20", "--event", "0s:stop:payment", "--event", "1ms:stop:analytics")
			f := result.Forms[services.GRPC].Orders
			if status != exitDone || f.Errors == 0 || len(result.Happened) != 2 || len(result.Explained) == 0 || len(result.Events) != 2 {
				t.Errorf("exit status %d, %+v, happened %+v, problems %q", status, f, result.Happened, result.Problems)
			}
		},
		"fault": func(t *testing.T) {
			result, status := do(t, "--orders", "2", "--fault", "payment:error=payment_declined", "--fault", "shipping:delay=1ms")
			if a := result.Forms[services.GRPC].Orders; a.Failed != 2 || a.Errors != 2 || status != exitDone || len(result.Faults) != 2 {
				t.Errorf("exit status %d, faults %q, %+v", status, result.Faults, a)
			}
		},
	}
}

// brokerFlagCases are of flags that name brokers and services elsewhere.
func brokerFlagCases() map[string]func(*testing.T) {
	return map[string]func(*testing.T){
		"kafka": func(t *testing.T) { onAnotherKafka(t, false) },
		"rabbitmq": func(t *testing.T) {
			if kind := onRabbitMQ(t); kind != "" {
				t.Errorf("a queue of kind %s is left", kind)
			}
		},
		"classic": func(t *testing.T) {
			for kind, args := range map[string][]string{"quorum": {"--keep"}, "classic": {"--keep", "--classic"}} {
				if got := onRabbitMQ(t, args...); got != kind {
					t.Errorf("%q: queues of kind %q, want %q", args, got, kind)
				}
			}
		},
		"keep":   func(t *testing.T) { onAnotherKafka(t, true, "--keep") },
		"target": func(t *testing.T) { elsewhere(t) },
		"receive-otlp": func(t *testing.T) { // with it: see target
			var out, talk bytes.Buffer
			status := run(t.Context(), []string{"run", "--target", "http://127.0.0.1:1", "--out", t.TempDir()}, nil, &out, &talk)
			if status != exitUsage || !strings.Contains(talk.String(), "--receive-otlp") {
				t.Errorf("exit status %d: %s", status, talk.String())
			}
		},
		"jaeger": func(t *testing.T) { throughJaeger(t) },
	}
}
