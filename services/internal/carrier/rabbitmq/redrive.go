package rabbitmq

import (
	"context"
	"fmt"
	"maps"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"tracelab/otelamqp"
	"tracelab/services/internal/carrier"
)

// Redrive sends dead letters of a topic back to the exchange, and acknowledges each when the broker has it there. It returns how many it has
// sent, also beside an error. Dead letters of other topics go back to where they were.
func Redrive(ctx context.Context, r carrier.Redrive) (done carrier.SentBack, err error) {
	in, err := newSpans(Config{BrokerConfig: r.Config})
	if err != nil {
		return done, err
	}
	cut := atomic.Int64{} // messages so far that came without some of their headers
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := r.Config.Dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return newReadable(conn, func() { cut.Add(1) }), nil
	}
	conn, err := dialAny(ctx, dial, r.Config.Addresses, r.Config.Service)
	if err != nil {
		return done, fmt.Errorf("rabbitmq broker cannot be reached: name it with --rabbitmq: %w", err)
	}
	defer func() { _ = conn.CloseDeadline(time.Now().Add(closeTimeout)) }() // what is not acknowledged goes back
	ch, err := in.Channel(conn)
	if err != nil {
		return done, fmt.Errorf("redrive: %w", err)
	}
	n := names{prefix: r.Config.Prefix}
	queue, err := ch.QueueDeclarePassive(n.deadLetters(), true, false, false, false, nil)
	if isMissing(err) {
		return done, nil
	}
	if err == nil {
		err = ch.Confirm(false)
	}
	if err != nil {
		return done, fmt.Errorf("look for the dead letters %s: %w", n.deadLetters(), err)
	}
	for range queue.Messages {
		if done.Sent == r.Most || ctx.Err() != nil {
			break
		}
		before := cut.Load()
		d, ok, err := ch.Get(n.deadLetters(), false)
		if err != nil {
			return done, fmt.Errorf("read the dead letters %s: %w", n.deadLetters(), err)
		}
		if !ok {
			break
		}
		if d.RoutingKey != r.Topic {
			continue // until the connection is closed
		}
		if err := sendBack(ctx, in, ch, n, d); err != nil {
			return done, err
		}
		done.Sent++
		done.Cut += int(cut.Load() - before)
	}
	return done, context.Cause(ctx)
}

// sendBack sends one back, under a process span of its own.
func sendBack(ctx context.Context, in *otelamqp.Instrumentation, ch *otelamqp.Channel, n names, d amqp.Delivery) error {
	processing, process := in.StartProcess(ctx, d)
	headers := amqp.Table{}
	maps.Copy(headers, d.Headers)
	maps.DeleteFunc(headers, func(name string, _ any) bool { return carrier.IsOriginHeader(name) || name == "x-death" })
	redriven, _ := strconv.Atoi(otelamqp.TableCarrier{Table: d.Headers}.Get(carrier.HeaderRedriven)) // of one that is no number it is the first time
	headers[carrier.HeaderRedriven] = strconv.Itoa(max(0, redriven) + 1)
	err := ch.PublishConfirmed(otelamqp.KeepCreationContext(processing), n.exchange(), d.RoutingKey, true, amqp.Publishing{
		DeliveryMode: amqp.Persistent, ContentType: d.ContentType, MessageId: d.MessageId, CorrelationId: d.CorrelationId, AppId: d.AppId,
		Timestamp: d.Timestamp, Headers: headers, Body: d.Body,
	})
	if err == nil {
		err = d.Ack(false)
	}
	if err != nil {
		err = fmt.Errorf("send a dead letter back to %s: %w", d.RoutingKey, err)
	}
	process.End(err)
	return err
}
