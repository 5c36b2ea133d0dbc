package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"syscall"
	"time"
)

// whyNoAnswer says in plain words why somebody did not answer who was asked for no longer than a time. What it has no words for, it leaves as it is.
func whyNoAnswer(err error, within time.Duration) string {
	if outer, ok := errors.AsType[*url.Error](err); ok { // whoever reads it knows who was asked
		err = outer.Err
	}
	timeout, isNet := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, context.DeadlineExceeded), isNet && timeout.Timeout():
		return fmt.Sprintf("no answer within %v", within)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused: nobody listens there"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return "the connection was closed before an answer"
	}
	return err.Error()
}

// notHeardError says that a broker was asked in vain. What it answered before stands.
type notHeardError struct {
	why  string
	last time.Time // when it answered last; zero: it never did
}

// Error says why, and how old the figures are.
func (e *notHeardError) Error() string {
	if e.last.IsZero() {
		return e.why + "; what waits there is not known"
	}
	return e.why + "; what waits there is of " + e.last.Format(time.TimeOnly)
}

// unheard names the brokers that were asked in vain.
func unheard(kafka, rabbitmq error) (list []string) {
	if kafka != nil {
		list = append(list, "Kafka: "+kafka.Error())
	}
	if rabbitmq != nil {
		list = append(list, "RabbitMQ: "+rabbitmq.Error())
	}
	return list
}

// notHeard is nil for no error.
func notHeard(err error, last time.Time) error {
	if err == nil {
		return nil
	}
	return &notHeardError{whyNoAnswer(err, askTimeout), last}
}
