package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// metricsSink takes OTLP over HTTP and keeps it: names stand in protobuf as they are.
type metricsSink struct {
	url string
	mu  sync.Mutex
	all bytes.Buffer
}

func newMetricsSink(t *testing.T) *metricsSink {
	t.Helper()
	sink := &metricsSink{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body io.Reader = r.Body
		if r.Header.Get("Content-Encoding") == "gzip" {
			unpacked, err := gzip.NewReader(r.Body)
			if err != nil {
				t.Error(err)
				return
			}
			body = unpacked
		}
		sink.mu.Lock()
		defer sink.mu.Unlock()
		if _, err := io.Copy(&sink.all, body); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusOK)
	}))
	t.Cleanup(server.Close)
	sink.url = server.URL
	return sink
}

func (s *metricsSink) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.String()
}
