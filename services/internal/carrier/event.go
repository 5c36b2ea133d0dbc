package carrier

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protojson"

	"tracelab/services/internal/orderpb"
)

// ContentType is that of a message's value.
const ContentType = "application/json"

// PoisonPayload marks an event that is sent as bytes which nobody can decode, to show what that does. Drawn payloads have letters and digits only.
const PoisonPayload = "poison!"

// EncodeEvent makes a message's value. One that no consumer would read is refused.
func EncodeEvent(topic string, event *orderpb.Event) ([]byte, error) {
	if event.GetPayload() == PoisonPayload {
		return []byte("poison: no event"), nil
	}
	value, err := protojson.Marshal(event)
	if err != nil {
		return nil, fmt.Errorf("encode event for %s: %w", topic, err)
	}
	if len(value) > MaxBody {
		return nil, Fail("", TooLarge, fmt.Sprintf("a message of %d bytes for %s, at most %d are read", len(value), topic, MaxBody))
	}
	return value, nil
}

// DecodeEvent reads a message's value. An event without an order is of no use to anybody.
func DecodeEvent(value []byte) (*orderpb.Event, error) {
	if len(value) > MaxBody {
		return nil, Fail("", TooLarge, fmt.Sprintf("a message of %d bytes, at most %d are read", len(value), MaxBody))
	}
	event := &orderpb.Event{}
	if err := protojson.Unmarshal(value, event); err != nil {
		return nil, Fail("", Undecodable, err.Error())
	}
	if event.GetOrder().GetId() == "" {
		return nil, Fail("", Undecodable, "the event names no order")
	}
	return event, nil
}

// RefusedError is the answer of a broker that will not take a message, however often it is sent.
type RefusedError struct{ Err error }

// Error is the broker's.
func (e *RefusedError) Error() string { return e.Err.Error() }

// Unwrap is the broker's error.
func (e *RefusedError) Unwrap() error { return e.Err }

// AwaitAcknowledgement waits until the broker has taken a message for the topic. When the context ends first, the error says that the outcome is
// open: the message does not depend on the context.
func AwaitAcknowledgement(ctx context.Context, topic string, acknowledged <-chan error) error {
	select {
	case err := <-acknowledged:
		if refused, ok := errors.AsType[*RefusedError](err); ok {
			return Fail("", MessageRefused, fmt.Sprintf("the broker refuses the message for %s: %v", topic, refused.Err))
		}
		if err != nil {
			return Fail("", Unavailable, fmt.Sprintf("broker did not take the message for %s: %v", topic, err))
		}
		return nil
	case <-ctx.Done():
		return Fail("", Unavailable, fmt.Sprintf("broker has not acknowledged the message for %s yet", topic))
	}
}
