package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// longestAnswer is how many bytes of an answer are read.
const longestAnswer = 64 << 20

// newClient makes a client that leaves no connection open and ignores the environment's proxies: the doctor must see what
// the services see.
func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSHandshakeTimeout: oneAnswer}, Timeout: oneAnswer}
}

// get requests a URL and returns the body of the answer. An answer that is not 2xx, or an HTML page, is an error that says
// what was seen.
func get(ctx context.Context, client *http.Client, address string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("no URL to ask: %w", err)
	}
	return do(client, req)
}

// do sends a request, and returns what get does.
func do(client *http.Client, req *http.Request) ([]byte, error) {
	address := req.URL.Redacted()
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", address, inWords(err))
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, longestAnswer))
	if err != nil {
		return nil, fmt.Errorf("%s: the answer breaks off: %w", address, inWords(err))
	}
	switch page := isPage(resp, body); {
	case resp.StatusCode/100 != 2 && strings.Contains(string(body), "HTTP request to an HTTPS server"):
		return body, fmt.Errorf("%s: TLS is spoken there: it wants https, not http", address)
	case page:
		return body, fmt.Errorf("%s: %s with an HTML page", address, resp.Status)
	case resp.StatusCode/100 != 2:
		return body, &answered{address: address, status: resp.Status, code: resp.StatusCode, body: excerpt(body)}
	}
	return body, nil
}

// answered is the error for an answer that is not 2xx.
type answered struct {
	address, status, body string
	code                  int
}

// Error names the answer.
func (e *answered) Error() string {
	if e.body == "" {
		return e.address + ": " + e.status
	}
	return e.address + ": " + e.status + ": " + e.body
}

// getJSON requests a URL and decodes its answer.
func getJSON(ctx context.Context, client *http.Client, address string, into any) error {
	body, err := get(ctx, client, address)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("%s: the answer is not what was expected: %s", address, excerpt(body))
	}
	return nil
}

func isPage(resp *http.Response, body []byte) bool {
	return strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") || strings.HasPrefix(strings.TrimSpace(string(body)), "<")
}

// excerpt returns the beginning of an answer, on one line.
func excerpt(body []byte) string {
	const most = 200
	text := strings.Join(strings.Fields(string(body)), " ")
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// inWords says in plain words what an error of a connection means. It wraps the error where that says more.
func inWords(err error) error {
	if outer, ok := errors.AsType[*url.Error](err); ok {
		err = outer.Err
	}
	if name, ok := errors.AsType[*net.DNSError](err); ok {
		return fmt.Errorf("no host has the name %s: %w", name.Name, name)
	}
	if certificate, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return fmt.Errorf("its certificate is not trusted here: %w", certificate.Err)
	}
	if unknown, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return fmt.Errorf("its certificate is not trusted here: %w", unknown)
	}
	timeout, isNet := errors.AsType[net.Error](err)
	switch text := err.Error(); {
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("connection refused: nobody listens there")
	case errors.Is(err, context.DeadlineExceeded), isNet && timeout.Timeout():
		return errors.New("no answer in time")
	case strings.Contains(text, "gave HTTP response to HTTPS client"), strings.Contains(text, "does not look like a TLS handshake"):
		return errors.New("plaintext is spoken there, not TLS")
	case strings.Contains(text, `malformed HTTP response "\x15\x03`):
		return errors.New("TLS is spoken there, not plaintext")
	case strings.Contains(text, "malformed HTTP response"):
		return errors.New("the server speaks something other than HTTP/1, such as gRPC")
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return errors.New("the server closed the connection without answering")
	}
	return err
}

// reachable returns nil when a connection is accepted.
func reachable(ctx context.Context, address string) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return inWords(err)
	}
	return conn.Close()
}

// identify says which protocol is spoken at host:port, to explain why an endpoint did not do what was asked of it.
func identify(ctx context.Context, address string) string {
	ctx, cancel := context.WithTimeout(ctx, oneAnswer)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return inWords(err).Error()
	}
	defer func() { _ = conn.Close() }()
	const silent = "the server accepts the connection and never answers"
	if heard := greeting(ctx, conn); heard != "" {
		return heard
	}
	again, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return silent
	}
	defer func() { _ = again.Close() }()
	secure := tls.Client(again, &tls.Config{InsecureSkipVerify: true}) // only to learn whether TLS is spoken: nothing is sent
	if err := secure.HandshakeContext(ctx); err == nil || strings.Contains(err.Error(), "remote error: tls") {
		return "TLS is spoken there, not plaintext"
	}
	return silent
}

// greeting sends the beginning of an HTTP/1 request and tells who answers: an HTTP/1 server, one of HTTP/2, which is what
// gRPC speaks, or one of TLS; "" when that is not clear.
func greeting(ctx context.Context, conn net.Conn) string {
	within := oneAnswer / 3
	if deadline, ok := ctx.Deadline(); ok {
		within = min(within, time.Until(deadline)/2)
	}
	if err := conn.SetDeadline(time.Now().Add(within)); err != nil {
		return ""
	}
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"); err != nil {
		return ""
	}
	const settings = 4 // the type of the frame with which HTTP/2 begins, behind its length of three bytes
	head := make([]byte, 512)
	n, _ := conn.Read(head) // the first bytes are enough
	switch text := string(head[:n]); {
	case strings.Contains(text, "HTTP request to an HTTPS server"), n > 2 && head[0] == 0x15 && head[1] == 3:
		return "TLS is spoken there, not plaintext"
	case strings.HasPrefix(text, "HTTP/1."):
		return "HTTP/1 is spoken there"
	case n > 3 && head[3] == settings:
		return "HTTP/2 is spoken there, as gRPC does"
	}
	return ""
}
