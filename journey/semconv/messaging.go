package semconv

import "strings"

// Names of attributes in today's conventions.
const (
	ErrorType   = "error.type"
	FaaSTrigger = "faas.trigger"

	MessagingPrefix                  = "messaging." // of every attribute of a messaging span
	MessagingSystem                  = "messaging.system"
	MessagingOperationName           = "messaging.operation.name"
	MessagingOperationType           = "messaging.operation.type"
	MessagingDestinationName         = "messaging.destination.name"
	MessagingDestinationTemplate     = "messaging.destination.template"
	MessagingDestinationTemporary    = "messaging.destination.temporary"
	MessagingDestinationAnonymous    = "messaging.destination.anonymous"
	MessagingDestinationPartitionID  = "messaging.destination.partition.id"
	MessagingDestinationSubscription = "messaging.destination.subscription.name"
	MessagingConsumerGroupName       = "messaging.consumer.group.name"
	MessagingClientID                = "messaging.client.id"
	MessagingBatchMessageCount       = "messaging.batch.message_count"
	MessagingMessageID               = "messaging.message.id"
	MessagingMessageConversationID   = "messaging.message.conversation_id"
	MessagingMessageBodySize         = "messaging.message.body.size"
	MessagingMessageEnvelopeSize     = "messaging.message.envelope.size"
	MessagingKafkaPrefix             = "messaging.kafka."
	MessagingKafkaOffset             = "messaging.kafka.offset"
	MessagingKafkaMessageKey         = "messaging.kafka.message.key"
	MessagingKafkaTombstone          = "messaging.kafka.message.tombstone"
	MessagingRabbitMQRoutingKey      = "messaging.rabbitmq.destination.routing_key"
	MessagingRabbitMQDeliveryTag     = "messaging.rabbitmq.message.delivery_tag"
)

// Rename is an attribute that the messaging conventions no longer have.
type Rename struct {
	Old  string
	Now  string // its successor, empty when there is none
	Last int    // the last minor version 1.x of the conventions that has the old name
}

// RenameOf returns what became of a name, and false for a name that the conventions never dropped. The table was made by
// reading the releases of the conventions one after the other.
func RenameOf(key string) (Rename, bool) {
	r := Rename{Old: key}
	switch key {
	case "messaging.operation":
		r.Now, r.Last = MessagingOperationName, 25
	case "messaging.destination":
		r.Now, r.Last = MessagingDestinationName, 16
	case "messaging.source.name":
		r.Now, r.Last = MessagingDestinationName, 20
	case "messaging.temp_destination":
		r.Now, r.Last = MessagingDestinationTemporary, 16
	case "messaging.kafka.destination.partition":
		r.Now, r.Last = MessagingDestinationPartitionID, 25
	case "messaging.kafka.source.partition":
		r.Now, r.Last = MessagingDestinationPartitionID, 20
	case "messaging.kafka.partition":
		r.Now, r.Last = MessagingDestinationPartitionID, 16
	case "messaging.kafka.message.offset":
		r.Now, r.Last = MessagingKafkaOffset, 26
	case "messaging.kafka.consumer.group":
		r.Now, r.Last = MessagingConsumerGroupName, 26
	case "messaging.kafka.consumer_group":
		r.Now, r.Last = MessagingConsumerGroupName, 16
	case "messaging.client_id":
		r.Now, r.Last = MessagingClientID, 25
	case "messaging.kafka.client_id", "messaging.consumer.id":
		r.Now, r.Last = MessagingClientID, 20
	case "messaging.consumer_id":
		r.Now, r.Last = MessagingClientID, 16
	case "messaging.kafka.message_key":
		r.Now, r.Last = MessagingKafkaMessageKey, 16
	case "messaging.kafka.tombstone":
		r.Now, r.Last = MessagingKafkaTombstone, 16
	case "messaging.message_id":
		r.Now, r.Last = MessagingMessageID, 16
	case "messaging.conversation_id":
		r.Now, r.Last = MessagingMessageConversationID, 16
	case "messaging.message_payload_size_bytes":
		r.Now, r.Last = MessagingMessageBodySize, 16
	case "messaging.message.payload_size_bytes":
		r.Now, r.Last = MessagingMessageBodySize, 21
	case "messaging.rabbitmq.routing_key":
		r.Now, r.Last = MessagingRabbitMQRoutingKey, 16
	case "messaging.eventhubs.consumer.group", "messaging.rocketmq.client_group":
		r.Now, r.Last = MessagingConsumerGroupName, 26
	case "messaging.servicebus.destination.subscription_name":
		r.Now, r.Last = MessagingDestinationSubscription, 26
	case "messaging.destination.kind", "messaging.source.kind":
		r.Last = 19
	case "messaging.destination_kind", "messaging.protocol", "messaging.protocol_version", "messaging.url":
		r.Last = 16
	default:
		return Rename{}, false
	}
	return r, true
}

// SystemOf returns the value of messaging.system that goes with an attribute which only one system has, such as rabbitmq for
// messaging.rabbitmq.destination.routing_key, and "" for all others.
func SystemOf(key string) string {
	for _, x := range [...]struct{ prefix, system string }{
		{MessagingKafkaPrefix, "kafka"}, {"messaging.rabbitmq.", "rabbitmq"}, {"messaging.rocketmq.", "rocketmq"},
		{"messaging.gcp_pubsub.", "gcp_pubsub"}, {"messaging.servicebus.", "servicebus"}, {"messaging.eventhubs.", "eventhubs"},
	} {
		if strings.HasPrefix(key, x.prefix) {
			return x.system
		}
	}
	return ""
}
