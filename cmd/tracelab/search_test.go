package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestSearchFlagsReachJaeger sees --since, --limit and --by in what a Jaeger is asked.
func TestSearchFlagsReachJaeger(t *testing.T) {
	var mu sync.Mutex
	var asked []string
	oldest := time.Duration(0)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, r.URL.Query().Encode())
		if from, err := time.Parse(time.RFC3339Nano, r.URL.Query().Get("query.startTimeMin")); err == nil {
			oldest = max(oldest, time.Since(from))
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprint(w, `{"result":{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeSpans":[{"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","name":"work","kind":2,"startTimeUnixNano":"1750000000000000000","endTimeUnixNano":"1750000000010000000","attributes":[{"key":"order.id","value":{"stringValue":"o-17"}}]}]}]}]}}`)
	}))
	defer server.Close()
	var out, talk bytes.Buffer
	if status := run(t.Context(), []string{"journey", "--service", "shop", "--since", "26h", "--limit", "7", "--by", "order.id", "--jaeger", server.URL}, nil, &out, &talk); status != exitDone {
		t.Fatalf("exit status %d: %s", status, talk.String())
	}
	all := strings.Join(asked, "\n")
	if oldest < 26*time.Hour || !strings.Contains(all, "=7") || !strings.Contains(all, "o-17") {
		t.Errorf("asked since %v: %s", oldest, all)
	}
}
