//go:build linux || darwin

package parts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"tracelab/internal/poll"
)

// AwaitHTTP asks the URL again and again until it answers with 2xx, or until ctx ends: then the error says what was seen last.
func AwaitHTTP(ctx context.Context, url string) error {
	return awaitHTTP(ctx, url, nil)
}

// AskHTTP asks the URL once: nil for an answer with 2xx, otherwise what was seen.
func AskHTTP(ctx context.Context, url string) error {
	return get(ctx, &http.Client{Timeout: oneAnswer, Transport: &http.Transport{DisableKeepAlives: true}}, url)
}

// AwaitHTTP asks a URL of this program until it answers with 2xx. Unlike the function AwaitHTTP it fails at once, with the end of the log,
// when the program ends.
func (p *Process) AwaitHTTP(ctx context.Context, url string) error {
	err := awaitHTTP(ctx, url, p.done)
	select {
	case <-p.done: // whoever answers is another program
		return fmt.Errorf("%s has ended, and %s was asked of it in vain; its log %s ends with\n%s", p.name, url, p.log, p.LogTail(20))
	default:
		return err
	}
}

// The limit of one request, and the time between two.
const (
	oneAnswer    = 2 * time.Second
	pollInterval = 50 * time.Millisecond
)

func awaitHTTP(ctx context.Context, url string, ended <-chan struct{}) error {
	client := &http.Client{Timeout: oneAnswer, Transport: &http.Transport{DisableKeepAlives: true}}
	began := time.Now()
	err := poll.Until(ctx, pollInterval, func(ctx context.Context) error {
		err := get(ctx, client, url)
		select {
		case <-ended:
			return poll.Stop(err)
		default:
			return err
		}
	})
	if unmet, ok := errors.AsType[*poll.Unmet](err); ok {
		return fmt.Errorf("no 2xx from %s in %s: %w", url, time.Since(began).Round(time.Millisecond), unmet)
	}
	return err
}

// get returns nil for an answer with 2xx, and otherwise what it saw. Each request has its own two seconds and does not end with ctx, so
// that the error names an answer and not the end of ctx.
func get(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 300))
	if err != nil {
		return err
	}
	if answer.StatusCode/100 == 2 {
		return nil
	}
	return fmt.Errorf("%s %q", answer.Status, strings.TrimSpace(string(body)))
}
