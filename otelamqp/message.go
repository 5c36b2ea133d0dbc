package otelamqp

import (
	amqp "github.com/rabbitmq/amqp091-go"
	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

const (
	// traceparentCountKey is how many traceparents a message has, where it is more
	// than one: two instrumentations have written a context.
	traceparentCountKey = attribute.Key("otelamqp.traceparent.count")
	// redeliveredKey says that the server has delivered the message before.
	redeliveredKey = attribute.Key("otelamqp.redelivered")
	// linksOmittedKey is how many links a span lacks because they are more than
	// WithMaxLinks.
	linksOmittedKey = attribute.Key("otelamqp.links.omitted")
)

// appendSent appends what a message that is sent says itself.
func (in *Instrumentation) appendSent(attrs []attribute.KeyValue, m *amqp.Publishing) []attribute.KeyValue {
	attrs = in.appendIDs(attrs, m.MessageId, m.CorrelationId, m)
	if in.bodySize {
		attrs = append(attrs, semconv.MessagingMessageBodySize(len(m.Body)))
	}
	if in.messageAttributes != nil {
		attrs = cleanAttributes(attrs, in.messageAttributes(m))
	}
	return attrs
}

// appendReceived appends what a delivery says itself, and the number of
// traceparents unless it is 0.
func (in *Instrumentation) appendReceived(attrs []attribute.KeyValue, d *amqp.Delivery, doubled int) []attribute.KeyValue {
	attrs = append(attrs, semconv.MessagingRabbitMQMessageDeliveryTag(int(d.DeliveryTag)))
	if d.Redelivered {
		attrs = append(attrs, redeliveredKey.Bool(true))
	}
	if doubled > 0 {
		attrs = append(attrs, traceparentCountKey.Int(doubled))
	}
	var m *amqp.Publishing
	if in.conversationID != nil || in.messageAttributes != nil {
		m = publishingOf(d)
	}
	attrs = in.appendIDs(attrs, d.MessageId, d.CorrelationId, m)
	if in.bodySize {
		attrs = append(attrs, semconv.MessagingMessageBodySize(len(d.Body)))
	}
	if in.messageAttributes != nil {
		attrs = cleanAttributes(attrs, in.messageAttributes(m))
	}
	return attrs
}

// appendIDs appends the ids of a message. m is used with WithConversationID only.
func (in *Instrumentation) appendIDs(attrs []attribute.KeyValue, id, conversation string, m *amqp.Publishing) []attribute.KeyValue {
	if in.conversationID != nil {
		conversation = in.conversationID(m)
	}
	if id != "" {
		attrs = append(attrs, semconv.MessagingMessageID(text(id)))
	}
	if conversation != "" {
		attrs = append(attrs, semconv.MessagingMessageConversationID(text(conversation)))
	}
	return attrs
}

// publishingOf returns the properties and headers of a delivery.
func publishingOf(d *amqp.Delivery) *amqp.Publishing {
	return &amqp.Publishing{
		Headers: d.Headers, ContentType: d.ContentType, ContentEncoding: d.ContentEncoding, DeliveryMode: d.DeliveryMode, Priority: d.Priority,
		CorrelationId: d.CorrelationId, ReplyTo: d.ReplyTo, Expiration: d.Expiration, MessageId: d.MessageId, Timestamp: d.Timestamp, Type: d.Type,
		UserId: d.UserId, AppId: d.AppId,
	}
}
