package rabbitmq

import (
	"context"
	"fmt"
	"maps"

	amqp "github.com/rabbitmq/amqp091-go"

	"tracelab/otelamqp"
	"tracelab/services/internal/carrier"
)

// deadLetter puts a message with the dead letters and returns when the broker has it. It keeps its headers, its creation context among them;
// others say where it comes from and why it is here.
func (r *Broker) deadLetter(ctx context.Context, d amqp.Delivery, death carrier.Death) error {
	headers := amqp.Table{}
	maps.Copy(headers, d.Headers)
	maps.DeleteFunc(headers, func(name string, _ any) bool { return carrier.IsDeathHeader(name) })
	for _, h := range append(death.Headers(ctx), [2]string{carrier.HeaderOriginQueue, r.config.Service}) {
		headers[h[0]] = h[1]
	}
	dead := amqp.Publishing{
		DeliveryMode: amqp.Persistent, ContentType: d.ContentType, MessageId: d.MessageId, CorrelationId: d.CorrelationId, AppId: d.AppId,
		Timestamp: d.Timestamp, Headers: headers, Body: d.Body,
	}
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	defer context.AfterFunc(r.life, func() { cancel(errClosed) })()
	if err := r.publishTo(otelamqp.KeepCreationContext(ctx), r.names.deadLetters(), d.RoutingKey, dead); err != nil {
		return fmt.Errorf("put a message with the dead letters: %w", err)
	}
	return nil
}
