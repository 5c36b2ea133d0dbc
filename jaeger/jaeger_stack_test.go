//go:build stack

package jaeger_test

import (
	"encoding/json"
	"net"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The program takes every setting, listens on every address that it was given, and gives the UI its configuration.
func TestJaegerRunsWithItsConfiguration(t *testing.T) {
	j := startJaeger(t, "http://127.0.0.1:1")
	for _, address := range []string{j.otlp, j.otlpHTTP, j.grpc} {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Error(err)
			continue
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
	figures, err := get(t.Context(), "http://"+j.metrics+"/metrics")
	if err != nil || !strings.Contains(figures, "otelcol_process_uptime") {
		t.Errorf("its own metrics: %v: %.300s", err, figures)
	}
	page, err := get(t.Context(), j.url+"/search")
	if err != nil {
		t.Fatal(err)
	}
	served := regexp.MustCompile(`JAEGER_CONFIG = (\{.*\});`).FindStringSubmatch(page)
	if served == nil {
		t.Fatalf("the page has no configuration: %.300s", page)
	}
	_, file := readUI(t)
	var got, want any
	if err := json.Unmarshal([]byte(served[1]), &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(file, &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-ui.json +served:\n%s", diff)
	}
}
