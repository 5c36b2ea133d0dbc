package telemetry

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestAPyroscopeInTrouble: it costs its profiles and a line of the log, never the time that the end has.
func TestAPyroscopeInTrouble(t *testing.T) {
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "limit reached", http.StatusTooManyRequests)
	}))
	defer refusing.Close()
	hole, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = hole.Close() }()
	for name, c := range map[string]struct{ address, says string }{
		"nobody listens": {"http://127.0.0.1:1", "connection refused"},
		"refuses":        {refusing.URL, "429"},
		"black hole":     {"http://" + hole.Addr().String(), "context canceled"},
	} {
		t.Run(name, func(t *testing.T) {
			var text bytes.Buffer
			p, err := StartProfiles(c.address, "v", "1", "h", slog.New(slog.NewTextHandler(&text, nil)))
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			began := time.Now()
			p.Stop(ctx)
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("the end took %v, want 0.3s and what the profiler itself takes", took)
			}
			if got := text.String(); strings.Count(got, "profile not pushed") != 1 || !strings.Contains(got, c.says) || !strings.Contains(got, "profiles lost") {
				t.Errorf("the log does not say once that profiles are lost (%s):\n%s", c.says, got)
			}
		})
	}
}

func TestAPyroscopeAddressThatIsNone(t *testing.T) {
	for _, address := range []string{"", "pyroscope:4040", "ftp://x", "http://"} {
		if p, err := StartProfiles(address, "v", "1", "h", slog.New(slog.DiscardHandler)); err == nil {
			p.Stop(t.Context())
			t.Errorf("%q is taken", address)
		}
	}
}
