// Package interop judges traces that others' instrumentation made: kafkajs, aiokafka, confluent-kafka, pika on RabbitMQ, and a Go service on otelkgo. It has
// no code but tests. Without a build tag they judge recorded spans; with the tag stack they run the real programs, brokers and SDKs, and need
// KAFKA_ADDR, Node.js, Python and Debian's rabbitmq-server.
package interop
