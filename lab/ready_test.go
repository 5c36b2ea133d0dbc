package lab

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/propagation"

	"tracelab/internal/telemetry"
	"tracelab/services"
	"tracelab/services/flows"
)

// TestWhoIsNotReadyIsNamed: whoever waits in vain for a gateway is told what that waits for, in words, or what it answered instead.
func TestWhoIsNotReadyIsNamed(t *testing.T) {
	t.Parallel() // it waits
	provider, err := telemetry.Config{Propagator: propagation.TraceContext{}}.New(clientName)
	if err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]string{
		`{"service":"gateway","status":"not ready","waiting_for":["payment","shipping"]}`: "seen last: the gateway waits for payment, shipping",
		"<h1>no</h1>": "seen last: GET /readyz answered 503: <h1>no</h1>",
		`{"up":true}`: `seen last: GET /readyz answered 503: {"up":true}`,
	} {
		t.Run(body, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusServiceUnavailable)
				_, _ = w.Write([]byte(body)) // who asked may have gone
			}))
			defer server.Close()
			c := newClient(server.URL, flows.Order(), services.TCP(), services.TCP(), provider, time.Second)
			defer c.close()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if _, err := c.ready(ctx); err == nil || !strings.HasPrefix(err.Error(), server.URL+" is not ready: ") || !strings.HasSuffix(err.Error(), want) {
				t.Errorf("%v, want %q", err, want)
			}
		})
	}
}
