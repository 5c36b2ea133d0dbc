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

	"tracelab/journey"
	"tracelab/journey/source"
)

// overHTTP asks Jaeger's api/v3 over HTTP.
type overHTTP struct {
	options
	base string // URL of the query service with its base path: http://127.0.0.1:16686, or https://example.com/jaeger
}

// Close does nothing: connections belong to the client.
func (overHTTP) Close() error { return nil }

// Trace returns the spans of a trace as they are stored, without Jaeger's corrections for clock skew. A Jaeger that has no
// api/v3 is asked for its own JSON, which keeps less.
func (h overHTTP) Trace(ctx context.Context, id journey.TraceID) (source.Answer, error) {
	// Each version of Jaeger knows one of the names and ignores the other.
	address := h.url("/api/v3/traces/"+id.String(), url.Values{"rawTraces": {"true"}, "raw_traces": {"true"}})
	result, err := h.get(ctx, address, nil)
	if kindOf(err) == NotJaeger {
		if old, oldErr := h.get(ctx, h.url("/api/traces/"+id.String(), nil), nil); oldErr == nil || kindOf(oldErr) == NotStored {
			result, err = old, oldErr
		}
	}
	if err != nil {
		return result, err
	}
	return only(result, id, redacted(address))
}

// only keeps the spans of one trace.
func only(result source.Answer, id journey.TraceID, address string) (source.Answer, error) {
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

// Search returns the traces with a span that matches the query. Jaeger before 2.19 has other names for the fields of a query
// and ignores attributes: then as many traces as the limit allows are fetched, and filtered here.
func (h overHTTP) Search(ctx context.Context, q source.Query) (source.Answer, error) {
	return h.search(ctx, q, nil)
}

// SearchOTLP is Search with the answer as OTLP.
func (h overHTTP) SearchOTLP(ctx context.Context, q source.Query) (OTLP, error) {
	return collect(ctx, q, h.search)
}

func (h overHTTP) search(ctx context.Context, q source.Query, keep keep) (source.Answer, error) {
	if err := checkQuery(q, redacted(h.base)); err != nil {
		return source.Answer{}, err
	}
	address := h.url("/api/v3/traces", today.values(q))
	result, err := h.get(ctx, address, keep)
	before219 := kindOf(err) == BadQuery && strings.Contains(err.Error(), before.start)
	if before219 {
		address = h.url("/api/v3/traces", before.values(q))
		result, err = h.get(ctx, address, keep)
	}
	if kindOf(err) == NotStored {
		return source.Answer{}, nil
	}
	if kindOf(err) == NotJaeger {
		err = h.whoIsThere(ctx, err)
	}
	if err != nil {
		return result, err
	}
	return matching(result, q, redacted(address), before219), nil
}

// whoIsThere asks the old API for a trace that does not exist. When an old Jaeger answers, it makes the error one of kind
// OldAPI.
func (h overHTTP) whoIsThere(ctx context.Context, err error) error {
	_, old := h.get(ctx, h.url("/api/traces/"+journey.TraceID{15: 1}.String(), nil), nil)
	var found *Error
	if errors.As(err, &found) && (old == nil || kindOf(old) == NotStored) {
		return &Error{OldAPI, found.Address, found.Err}
	}
	return err
}

func (h overHTTP) url(path string, values url.Values) string {
	address := strings.TrimRight(h.base, "/") + path
	if len(values) > 0 {
		address += "?" + values.Encode()
	}
	return address
}

// get asks one question. Its errors are of type *Error, unless the caller canceled it.
func (h overHTTP) get(ctx context.Context, address string, keep keep) (source.Answer, error) {
	asked, cancel := context.WithTimeout(ctx, h.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(asked, http.MethodGet, address, nil)
	if err != nil {
		return source.Answer{}, &Error{BadQuery, "URL of Jaeger", withoutURL(err)}
	}
	request.Header.Set("Accept", "application/json")
	address = redacted(address)
	response, err := h.client.Do(request)
	if err != nil {
		return source.Answer{}, unanswered(ctx, asked, &Error{unreached(err), address, withoutURL(err)})
	}
	result, err := h.answer(response, address, keep)
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

// unreached tells a server that is down from one that speaks something else, such as gRPC or TLS.
func unreached(err error) Kind {
	var network *net.OpError
	if errors.As(err, &network) || errors.Is(err, io.EOF) {
		return Down
	}
	return NotJaeger
}

// unanswered tells a timeout, and a question that the caller canceled, from other errors.
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

// redacted returns a URL without its password, for spans and errors.
func redacted(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "URL of Jaeger"
	}
	return u.Redacted()
}

// withoutURL removes the method and URL that net/http puts before its errors: the address is in the *Error.
func withoutURL(err error) error {
	var outer *url.Error
	if errors.As(err, &outer) {
		return outer.Err
	}
	return err
}

// answer reads the spans of an answer.
func (h overHTTP) answer(response *http.Response, address string, keep keep) (source.Answer, error) {
	if response.StatusCode != http.StatusOK {
		return source.Answer{}, refusal(response, address)
	}
	body := bufio.NewReader(&bounded{in: response.Body, left: h.limit, limit: h.limit})
	if isPage(body, response.Header.Get("Content-Type")) {
		page := "the answer is an HTML page"
		if from := response.Request.URL.Redacted(); from != address {
			page += " from " + from
		}
		return source.Answer{}, &Error{NotJaeger, address, errors.New(page)}
	}
	var begin head
	reader, read := keep.copied(io.TeeReader(body, &begin))
	result, err := source.Read(reader, address, source.WithLimit(h.limit))
	found := source.Answer{Spans: result.Spans, Warnings: result.Warnings}
	switch {
	case err == nil && result.Damaged > 0:
		return found, &Error{Damaged, address, errors.New(result.Warnings[0].Text)}
	case errors.Is(err, source.ErrNoSpans) && result.Damaged == 0 && !begin.ofJaeger():
		return found, &Error{NotJaeger, address, fmt.Errorf("the answer has nothing of a Jaeger's: %.100q", begin.text)}
	case errors.Is(err, source.ErrNoSpans) && result.Damaged == 0:
		return found, &Error{NotStored, address, errors.New("no spans in the answer")}
	case err == nil:
		err = keep.json(read)
	}
	return found, err
}

// head keeps the beginning of an answer: all of one without spans.
type head struct{ text []byte }

// maxHead is the most bytes of an answer without spans.
const maxHead = 64 << 10

// Write keeps text while there is room, and a byte more.
func (h *head) Write(text []byte) (int, error) {
	h.text = append(h.text, text[:min(len(text), maxHead+1-len(h.text))]...)
	return len(text), nil
}

// ofJaeger tells whether an answer without spans is one of Jaeger's: nothing, or objects of api/v3 or of the API before it.
func (h *head) ofJaeger() bool {
	for decoder := json.NewDecoder(bytes.NewReader(h.text)); ; {
		var object map[string]json.RawMessage
		switch err := decoder.Decode(&object); {
		case errors.Is(err, io.EOF):
			return true
		case err != nil: // also when the answer is too long
			return false
		}
		if object["result"] == nil && object["data"] == nil && object["resourceSpans"] == nil {
			return false
		}
	}
}

// bounded is a reader that fails when an answer is longer than the limit.
type bounded struct {
	in          io.Reader
	left, limit int
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.in.Read(p)
	if b.left -= n; b.left < 0 {
		return 0, fmt.Errorf("the answer is longer than %d bytes: ask for less", b.limit)
	}
	return n, err
}

// isPage reports whether an answer is an HTML page, by its header or its first characters.
func isPage(body *bufio.Reader, contentType string) bool {
	head, _ := body.Peek(64) // reading the body returns the error, if any
	return strings.HasPrefix(contentType, "text/html") || bytes.HasPrefix(bytes.TrimSpace(head), []byte("<"))
}

// refusal makes an error of an answer that is not 200. Only Jaeger's own error message can say that a trace is not stored: a
// 404 of another server means that the path is wrong.
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

// jaegerMessage returns the message of an error of api/v3 or of the API before it, and true; else the beginning of the text.
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
