package services

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"tracelab/services/flows"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
	"tracelab/services/internal/store"
)

// outbox sends the messages that the store took together with the orders that they belong to. Those of an order go out in their order, each until
// the broker has it; then it is removed. Whoever is killed in between sends it again: at least once. Its limits are the store's.
type outbox struct {
	node   *node
	store  store.Store
	prefix string
	shared bool

	refused refusals
	// unremoved are messages that the broker has and the store could not remove: they are not sent again, as long as this process runs.
	unremoved []uint64
	woken     chan struct{}
	finished  chan sent
	stop      context.CancelFunc // of the loop
	loop      sync.WaitGroup
	sending   sync.WaitGroup
}

const (
	outboxBatch  = 256         // messages that are being sent at the same time
	outboxLook   = time.Second // between two looks for messages that nobody told of: of processes that are gone, or after an error
	outboxRemove = 2 * time.Second
)

// makerHeader holds the traceparent of the span that made a message: the parent of the span that sends it. What else of the maker's context
// differs from the message's own headers stands under its name behind makerHeader and a dash. None of them leaves the outbox.
const makerHeader = "outbox-maker"

// makerName is the header in which an outbox keeps a header of the maker's context.
func makerName(name string) string {
	if name == "traceparent" {
		return makerHeader
	}
	return makerHeader + "-" + name
}

// makerContext is the context that a message was made in. The headers are without it afterwards: as they are sent.
func makerContext(of propagation.TextMapPropagator, headers map[string]string) context.Context {
	maker := propagation.MapCarrier(maps.Clone(headers))
	for _, name := range of.Fields() {
		if value, kept := headers[makerName(name)]; kept {
			maker[name] = value
			delete(headers, makerName(name))
		}
	}
	return of.Extract(context.Background(), maker)
}

// sent are the messages of a key that the broker has.
type sent struct {
	key    string
	ids    []uint64
	failed bool // there are more, and they could not be sent
}

func newOutbox(n *node, s store.Store, prefix string) *outbox {
	return &outbox{node: n, store: s, prefix: prefix, shared: s.About().Shared, woken: make(chan struct{}, 1), finished: make(chan sent, outboxBatch), stop: func() {}}
}

// start begins to send. The brokers are there by then.
func (o *outbox) start() {
	ctx, stop := context.WithCancel(context.Background())
	o.stop = stop
	o.loop.Go(func() { o.run(ctx) })
}

// message makes a message for the outbox. Its create span is its creation context, whoever sends it and whenever.
func (o *outbox) message(ctx context.Context, by flows.Carrier, topic string, event *orderpb.Event) (store.Message, error) {
	value, err := carrier.EncodeEvent(topic, event)
	if err != nil {
		return store.Message{}, err
	}
	id := event.GetOrder().GetId()
	maker := propagation.MapCarrier{}
	o.node.hopFaults.TextMapPropagator.Inject(ctx, maker) // faults act on what is sent
	ctx, span := o.node.telemetry.Tracer.Start(ctx, "create "+topic, trace.WithSpanKind(trace.SpanKindProducer), trace.WithAttributes(
		semconv.MessagingSystemKey.String(string(by)), semconv.MessagingOperationName("create"), semconv.MessagingOperationTypeCreate,
		semconv.MessagingDestinationName(o.prefix+topic), semconv.MessagingMessageConversationID(id)))
	defer span.End()
	if o.prefix != "" {
		span.SetAttributes(semconv.MessagingDestinationTemplate(topic))
	}
	if by == flows.KafkaLog {
		span.SetAttributes(semconv.MessagingKafkaMessageKey(id))
	}
	headers := propagation.MapCarrier{}
	o.node.telemetry.Propagator.Inject(ctx, headers)
	for name, value := range maker {
		if headers[name] != value {
			headers[makerName(name)] = value
		}
	}
	return store.Message{Key: id, Carrier: string(by), Topic: topic, Value: value, Headers: headers, Since: time.Now()}, nil
}

// put writes a message into the outbox by itself, for one that does not belong to an order's acceptance.
func (o *outbox) put(ctx context.Context, by flows.Carrier, topic string, event *orderpb.Event) error {
	message, err := o.message(ctx, by, topic, event)
	if err != nil {
		return err
	}
	ctx, cancel := bounded(ctx)
	defer cancel()
	if err := o.store.Enqueue(ctx, message); err != nil {
		return o.node.keeper.ledger.storeFailed(err)
	}
	o.wake()
	return nil
}

// wake tells the loop that there is a message.
func (o *outbox) wake() {
	select {
	case o.woken <- struct{}{}:
	default:
	}
}

// run sends until ctx ends.
func (o *outbox) run(ctx context.Context) {
	o.node.telemetry.Labels.Service()
	busy := map[string]bool{} // keys whose messages are being sent: true; or failed, until the next look: false
	ticker := time.NewTicker(outboxLook)
	defer ticker.Stop()
	adopt := o.shared
	for ctx.Err() == nil {
		if adopt {
			_, _ = o.store.Adopt(ctx) // the next look tries again
		}
		waiting, err := o.store.Waiting(ctx, outboxBatch)
		if err != nil && ctx.Err() == nil {
			o.node.telemetry.Log.Warn("the outbox cannot be read; trying again", "error", err)
		}
		o.begin(waiting, busy)
		adopt = false
		select {
		case <-o.woken:
		case s := <-o.finished:
			o.end(s, busy)
		case <-ticker.C:
			adopt = o.shared
			o.remove()
			maps.DeleteFunc(busy, func(_ string, sending bool) bool { return !sending })
		case <-ctx.Done():
		}
	}
}

// begin sends the messages that nobody is sending yet, side by side, and those of a key one after another.
func (o *outbox) begin(waiting []store.Message, busy map[string]bool) {
	byKey := map[string][]store.Message{}
	for _, m := range waiting {
		if _, is := busy[m.Key]; !is && !slices.Contains(o.unremoved, m.ID) {
			byKey[m.Key] = append(byKey[m.Key], m)
		}
	}
	for key, messages := range byKey {
		busy[key] = true
		o.sending.Go(func() {
			ids := o.send(messages)
			o.finished <- sent{key, ids, len(ids) < len(messages)}
		})
	}
}

// send sends the messages of a key, and returns those that are dealt with: all, unless one has to wait for the next look.
func (o *outbox) send(messages []store.Message) (ids []uint64) {
	for _, m := range messages {
		if err := o.sendOne(m); err != nil && !o.givenUp(m, err) {
			return ids
		}
		o.refused.forget(m.ID)
		ids = append(ids, m.ID)
	}
	return ids
}

// sendOne sends a message as any other is sent, in the context that it was made in.
func (o *outbox) sendOne(m store.Message) error {
	event, err := carrier.DecodeEvent(m.Value)
	if err != nil {
		return carrier.Fail("", carrier.MessageRefused, "its message in the outbox cannot be read: "+err.Error())
	}
	broker := o.node.brokers[flows.Carrier(m.Carrier)]
	if broker == nil {
		return carrier.Fail("", carrier.MessageRefused, fmt.Sprintf("its message waits in the outbox for %[1]s, and this service has no broker for that: name one with --%[1]s", m.Carrier))
	}
	headers := maps.Clone(m.Headers)
	ctx := makerContext(o.node.telemetry.Propagator, headers)
	return o.node.send(carrier.WithStored(ctx, headers), broker, m.Topic, event)
}

// end removes what the broker has, together with what others have sent meanwhile.
func (o *outbox) end(first sent, busy map[string]bool) {
	for s, more := first, true; more; {
		o.unremoved = append(o.unremoved, s.ids...)
		if busy[s.key] = false; !s.failed {
			delete(busy, s.key)
		}
		select {
		case s = <-o.finished:
		default:
			more = false
		}
	}
	o.remove()
}

// remove removes what the broker has. What the store does not remove now waits for the next look.
func (o *outbox) remove() {
	if len(o.unremoved) == 0 || !o.node.life.Alive() { // a killed process removes nothing
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), outboxRemove)
	defer cancel()
	if err := o.store.Remove(ctx, o.unremoved...); err != nil {
		o.node.telemetry.Log.Warn("messages that the broker has stay in the outbox: a process that ends now leaves them to be sent again", "messages", len(o.unremoved), "error", err)
		return
	}
	o.unremoved = nil
}

// drain waits until the outbox is empty, or ctx ends: what is left is sent after the next start.
func (o *outbox) drain(ctx context.Context) error {
	for {
		left, err := o.store.Waiting(ctx, 1)
		if err == nil && len(left) == 0 {
			return nil
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("%s: messages stay in the outbox until the next start: %w", o.node.name, context.Cause(ctx)), err)
		}
	}
}

// close ends the loop. What is being sent ends with its broker; await waits for that.
func (o *outbox) close() {
	o.stop()
	o.loop.Wait()
}

// await waits for the end of what is being sent.
func (o *outbox) await() {
	ended := make(chan struct{})
	go func() { o.sending.Wait(); close(ended) }()
	for {
		select {
		case <-o.finished: // what the loop has not removed is sent again
		case <-ended:
			return
		}
	}
}
