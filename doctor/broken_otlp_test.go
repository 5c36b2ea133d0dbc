package doctor_test

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"tracelab/doctor"
)

func otlpBreakages() []breakage {
	to := func(address func(*testing.T, *testLab) string) func(*testing.T, *testLab, *doctor.Config) {
		return func(t *testing.T, l *testLab, c *doctor.Config) { c.OTLP = []string{address(t, l)} }
	}
	overGRPC := func(l *testLab) string { address, _ := l.receiver.Addresses(); return address }
	overHTTP := func(l *testLab) string { _, address := l.receiver.Addresses(); return address }
	return []breakage{
		{name: "nobody takes otlp over grpc", want: "otlp", seen: []string{"connection refused"}, fix: "start the collector",
			cut: to(func(t *testing.T, _ *testLab) string { return nobody(t) })},
		{name: "nobody takes otlp over http", want: "otlp", seen: []string{"connection refused"}, fix: "start the collector",
			cut: to(func(t *testing.T, _ *testLab) string { return "http://" + nobody(t) })},
		{name: "the port for http", want: "otlp", seen: []string{"HTTP/1 is spoken there"}, fix: "that is a port for HTTP: use its URL",
			cut: to(func(_ *testing.T, l *testLab) string { return overHTTP(l) })},
		{name: "the port for grpc", want: "otlp", seen: []string{"HTTP/2 is spoken there"}, fix: "without http://",
			cut: to(func(_ *testing.T, l *testLab) string { return "http://" + overGRPC(l) })},
		{name: "tls where plaintext is spoken", want: "otlp", seen: []string{"plaintext is spoken there, not TLS"}, fix: "use http:// instead",
			cut: to(func(_ *testing.T, l *testLab) string { return "https://" + overHTTP(l) })},
		{name: "plaintext grpc where tls is spoken", want: "otlp", seen: []string{"TLS is spoken there, not plaintext"}, fix: "OTEL_EXPORTER_OTLP_CERTIFICATE",
			cut: to(func(t *testing.T, _ *testLab) string { return strings.TrimPrefix(overTLS(t, "h2"), "https://") })},
		{name: "plaintext http where tls is spoken", want: "otlp", seen: []string{"TLS is spoken there, not plaintext"}, fix: "https://",
			cut: to(func(t *testing.T, _ *testLab) string {
				return strings.Replace(overTLS(t, "http/1.1"), "https", "http", 1)
			})},
		{name: "a certificate that nobody knows", want: "otlp", seen: []string{"certificate"}, fix: "OTEL_EXPORTER_OTLP_CERTIFICATE",
			cut: to(func(t *testing.T, _ *testLab) string { return overTLS(t, "http/1.1") })},
		{name: "a black hole", want: "otlp", seen: []string{"the server accepts the connection and never answers"}, fix: "--otlp",
			cut: to(func(t *testing.T, _ *testLab) string { return blackHole(t) })},
		{name: "a full disk", want: "otlp", seen: []string{"no space left on device"}, fix: "make room",
			cut: to(func(t *testing.T, _ *testLab) string { return refusing(t, "failed to write: no space left on device") })},
		{name: "a refusal", want: "otlp", seen: []string{"data refused"}, fix: "memory_limiter",
			cut: to(func(t *testing.T, _ *testLab) string { return refusing(t, "data refused due to high memory usage") })},
	}
}

// overTLS starts a server with a certificate that nobody knows.
func overTLS(t *testing.T, protocol string) string {
	t.Helper()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{NextProtos: []string{protocol}}
	server.Config.ErrorLog = quiet
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}

// blackHole accepts connections and says nothing.
func blackHole(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
		}
	})
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	return l.Addr().String()
}

// refusing is an endpoint for OTLP over HTTP that takes nothing.
func refusing(t *testing.T, why string) string {
	t.Helper()
	return serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, why, http.StatusInsufficientStorage) }))
}
