package jaeger

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tracelab/journey"
	"tracelab/journey/source"
)

// DefaultTimeout is how long one question may take when its client does not say.
const DefaultTimeout = 30 * time.Second

// HTTP asks Jaeger's api/v3 over HTTP. It is a source.Store.
type HTTP struct {
	Base    string        // URL of the query service with its base path: http://127.0.0.1:16686, or https://example.com/jaeger
	Client  *http.Client  // nil means http.DefaultClient
	Timeout time.Duration // of one question with its answer; 0 means DefaultTimeout
	Limit   int           // how long an answer may be, in bytes; 0 means source.DefaultLimit
	Keep    Keep          // of what searches find; nil means nobody wants it
}

var _ source.Store = HTTP{}

// Close does nothing: connections belong to the client.
func (HTTP) Close() error { return nil }

// Trace returns the spans of a trace as they are stored, without Jaeger's corrections for clock skew. A Jaeger that has no
// api/v3 is asked for its own JSON, which keeps less. Keep is not told: that JSON is no OTLP.
func (h HTTP) Trace(ctx context.Context, id journey.TraceID) (source.Result, error) {
	h.Keep = nil
	// Each name is the one that the other version of Jaeger passes over.
	address := h.url("/api/v3/traces/"+id.String(), url.Values{"rawTraces": {"true"}, "raw_traces": {"true"}})
	result, err := h.get(ctx, address)
	if kindOf(err) == NotJaeger {
		if old, oldErr := h.get(ctx, h.url("/api/traces/"+id.String(), nil)); oldErr == nil || kindOf(oldErr) == NotStored {
			result, err = old, oldErr
		}
	}
	if err != nil {
		return result, err
	}
	return only(result, id, redacted(address))
}

// only keeps the spans of one trace.
func only(result source.Result, id journey.TraceID, address string) (source.Result, error) {
	kept := result.Spans[:0]
	for _, s := range result.Spans {
		if s.Trace == id {
			kept = append(kept, s)
		}
	}
	if result.Spans = kept; len(kept) == 0 {
		return result, &Error{NotStored, address, errors.New("no spans of that trace in the answer")}
	}
	return result, nil
}

// Search returns the traces with a span that matches the query. Jaeger before 2.19 has other names for it and passes over
// its attributes: then as many traces as the limit allows are fetched, and looked through here.
func (h HTTP) Search(ctx context.Context, q source.Query) (source.Result, error) {
	if err := checkQuery(q, redacted(h.Base)); err != nil {
		return source.Result{}, err
	}
	address := h.url("/api/v3/traces", today.values(q))
	result, err := h.get(ctx, address)
	before219 := kindOf(err) == BadQuery && strings.Contains(err.Error(), before.start)
	if before219 {
		address = h.url("/api/v3/traces", before.values(q))
		result, err = h.get(ctx, address)
	}
	if kindOf(err) == NotStored {
		return source.Result{}, nil
	}
	if kindOf(err) == NotJaeger {
		err = h.whoIsThere(ctx, err)
	}
	if err != nil {
		return result, err
	}
	return matching(result, q, redacted(address), before219), nil
}

// whoIsThere asks for a trace that nobody has, and makes the error OldAPI when the answer is that of an old Jaeger.
func (h HTTP) whoIsThere(ctx context.Context, err error) error {
	_, old := h.get(ctx, h.url("/api/traces/"+journey.TraceID{15: 1}.String(), nil))
	var found *Error
	if errors.As(err, &found) && (old == nil || kindOf(old) == NotStored) {
		return &Error{OldAPI, found.Address, found.Err}
	}
	return err
}

func (h HTTP) url(path string, values url.Values) string {
	address := strings.TrimRight(h.Base, "/") + path
	if len(values) > 0 {
		address += "?" + values.Encode()
	}
	return address
}

// get asks one question. Whatever goes wrong with it is an *Error, except that the caller has cancelled it.
func (h HTTP) get(ctx context.Context, address string) (source.Result, error) {
	timeout := h.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	asked, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(asked, http.MethodGet, address, nil)
	if err != nil {
		return source.Result{}, &Error{BadQuery, "URL of Jaeger", withoutURL(err)}
	}
	request.Header.Set("Accept", "application/json")
	client := h.Client
	if client == nil {
		client = http.DefaultClient
	}
	address = redacted(address)
	response, err := client.Do(request)
	if err != nil {
		return source.Result{}, unanswered(ctx, asked, &Error{unreached(err), address, withoutURL(err)})
	}
	result, err := h.answer(response, address)
	if closing := response.Body.Close(); err == nil {
		err = closing
	}
	if err != nil {
		var found *Error
		if !errors.As(err, &found) {
			found = &Error{Damaged, address, err}
		}
		return result, unanswered(ctx, asked, found)
	}
	return result, nil
}

// unreached tells nobody there from somebody who speaks something else, such as gRPC or TLS.
func unreached(err error) Kind {
	var network *net.OpError
	if errors.As(err, &network) || errors.Is(err, io.EOF) {
		return Down
	}
	return NotJaeger
}

// unanswered tells what is slow, and what the caller has cancelled, from other errors.
func unanswered(ctx, asked context.Context, e *Error) error {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return fmt.Errorf("%s: %w", e.Address, context.Canceled)
	case errors.Is(asked.Err(), context.DeadlineExceeded), errors.As(e.Err, &timeout) && timeout.Timeout():
		return &Error{Slow, e.Address, e.Err}
	}
	return e
}

// redacted leaves the password out of a URL that goes into spans and errors.
func redacted(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "URL of Jaeger"
	}
	return u.Redacted()
}

// withoutURL leaves out what net/http puts before its errors, which the address says already.
func withoutURL(err error) error {
	var outer *url.Error
	if errors.As(err, &outer) {
		return outer.Err
	}
	return err
}

// answer reads what came back.
func (h HTTP) answer(response *http.Response, address string) (source.Result, error) {
	if response.StatusCode != http.StatusOK {
		return source.Result{}, refusal(response, address)
	}
	body := bufio.NewReader(response.Body)
	if isPage(body, response.Header.Get("Content-Type")) {
		page := "the answer is an HTML page"
		if from := response.Request.URL.Redacted(); from != address {
			page += " from " + from
		}
		return source.Result{}, &Error{NotJaeger, address, errors.New(page)}
	}
	limit := h.Limit
	if limit == 0 {
		limit = source.DefaultLimit
	}
	reader, read := h.Keep.copied(body)
	result, err := source.Read(reader, address, source.Limit(limit))
	switch {
	case err == nil && result.Damaged > 0:
		return result, &Error{Damaged, address, errors.New(result.Warnings[0].Text)}
	case errors.Is(err, source.ErrNoSpans) && result.Damaged == 0:
		return result, &Error{NotStored, address, errors.New("no spans in the answer")}
	case err == nil:
		err = h.Keep.json(read)
	}
	return result, err
}

// isPage goes by the header, and by the first characters where that says something else.
func isPage(body *bufio.Reader, contentType string) bool {
	head, _ := body.Peek(64) // an error comes up again when it is read
	return strings.HasPrefix(contentType, "text/html") || bytes.HasPrefix(bytes.TrimSpace(head), []byte("<"))
}

// refusal makes an error of an answer that is not 200. Only an answer in Jaeger's words can say that a trace is not stored: a
// 404 of another server says that the path is wrong.
func refusal(response *http.Response, address string) error {
	body, err := io.ReadAll(io.LimitReader(response.Body, 4096))
	if err != nil {
		return err
	}
	message, jaeger := jaegerMessage(body)
	cause := fmt.Errorf("%s: %s", response.Status, message)
	switch code := response.StatusCode; {
	case code == http.StatusUnauthorized, code == http.StatusForbidden, code == http.StatusProxyAuthRequired:
		return &Error{Refused, address, cause}
	case code == http.StatusGatewayTimeout, code == http.StatusRequestTimeout:
		return &Error{Slow, address, cause}
	case code == http.StatusBadGateway, code == http.StatusServiceUnavailable:
		return &Error{Down, address, cause}
	case !jaeger && code < http.StatusInternalServerError:
		return &Error{NotJaeger, address, cause}
	case code == http.StatusNotFound:
		return &Error{NotStored, address, cause}
	case code < http.StatusInternalServerError:
		return &Error{BadQuery, address, cause}
	}
	return &Error{Failed, address, cause}
}

// jaegerMessage finds the message of an error of api/v3, or of the API before it; else it returns the beginning of the text.
func jaegerMessage(body []byte) (message string, jaeger bool) {
	var answer struct {
		Error  struct{ Message string }
		Errors []struct{ Msg string }
	}
	if json.Unmarshal(body, &answer) == nil {
		if answer.Error.Message != "" {
			return answer.Error.Message, true
		}
		if len(answer.Errors) > 0 && answer.Errors[0].Msg != "" {
			return answer.Errors[0].Msg, true
		}
	}
	text := bytes.TrimSpace(body)
	if bytes.HasPrefix(text, []byte("<")) {
		return "an HTML page", false
	}
	return fmt.Sprintf("%.100q", text), false
}

// kindOf returns the kind of an *Error, and -1 for others and for none.
func kindOf(err error) Kind {
	var found *Error
	if errors.As(err, &found) {
		return found.Kind
	}
	return -1
}
