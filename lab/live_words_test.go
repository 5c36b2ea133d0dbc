package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"syscall"
	"testing"
	"time"
)

// TestWhyNoAnswer: what a person reads of an answer that did not come has no address in it, and no words of Go's.
func TestWhyNoAnswer(t *testing.T) {
	for want, err := range map[string]error{
		"no answer within 5s":                         &url.Error{Op: "Post", URL: "http://127.0.0.1:1/orders", Err: context.DeadlineExceeded},
		"no answer within 5s ":                        &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded},
		"connection refused: nobody listens there":    &url.Error{Op: "Post", URL: "http://127.0.0.1:1/orders", Err: &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}},
		"the connection was closed before an answer":  &url.Error{Op: "Post", URL: "http://127.0.0.1:1/orders", Err: io.EOF},
		"the connection was closed before an answer ": fmt.Errorf("read: %w", syscall.ECONNRESET),
		"something else":                              errors.New("something else"),
	} {
		if got := whyNoAnswer(err, 5*time.Second); got != want && got+" " != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}
