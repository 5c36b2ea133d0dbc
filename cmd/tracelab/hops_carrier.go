package main

import (
	"strings"

	"tracelab/journey"
)

// carriedBy says by what a hop goes, from the spans on its sides.
func (l *hopLine) carriedBy(spans []*journey.Span) {
	attr := func(keys ...string) string {
		for _, span := range spans {
			for _, key := range keys {
				if value, ok := span.Attr(key); ok && value.String() != "" {
					return value.String()
				}
			}
		}
		return ""
	}
	system, rpc := attr("messaging.system"), attr("rpc.system.name", "rpc.system")
	switch {
	case system != "":
		l.By = system
		l.Topic = attr("messaging.rabbitmq.destination.routing_key", "messaging.destination.template", "messaging.destination.name")
		l.Partition, l.Offset = attr("messaging.destination.partition.id"), attr("messaging.kafka.offset", "messaging.kafka.message.offset")
		l.What = strings.TrimSpace(carrierName(system) + " " + l.Topic)
		if l.Partition != "" {
			l.What += ", partition " + l.Partition
		}
		if l.Offset != "" {
			l.What += ", offset " + l.Offset
		}
	case rpc != "":
		l.By = rpc
		l.What = carrierName(rpc) + " " + attr("rpc.method")
	case attr("graphql.operation.type", "graphql.operation.name") != "":
		l.By = "graphql"
		l.What = strings.TrimSpace("GraphQL " + attr("graphql.operation.type") + " " + attr("graphql.operation.name"))
	default:
		l.By = "http"
		l.What = strings.TrimSpace("HTTP " + attr("http.request.method") + " " + attr("http.route", "url.path"))
	}
}

// carrierName is how people write the name of a system.
func carrierName(system string) string {
	if name, ok := map[string]string{"kafka": "Kafka", "rabbitmq": "RabbitMQ", "grpc": "gRPC"}[system]; ok {
		return name
	}
	return system
}
