package source

import (
	"math"

	"tracelab/journey"
)

// This file reads Zipkin's JSON, version 2: spans that are objects of their own, in lists or on lines. Times are integer
// microseconds, tags are text, and the two halves of a call may share one id.

// lostInZipkin says what the format does not keep.
const lostInZipkin = "Zipkin JSON keeps times to the microsecond, attributes as text, and no links; OTLP keeps all of them"

// isZipkin reports whether an object has what every Zipkin span has, and something that no other kind has.
func isZipkin(s shape) bool {
	return s.has("traceId", "id") && (s["timestamp"] || s["localEndpoint"] || s["kind"] || s["duration"])
}

// zipkinEndpoint is a service and its address.
type zipkinEndpoint struct {
	service, ipv4, ipv6 string
	port                int64
}

// zipkinSpan reads one span, and reports whether it has the ids of one.
func (d *spanDecoder) zipkinSpan() bool {
	s := d.newSpan()
	s.Kind = journey.KindInternal // Zipkin has no kind for spans within a service
	var at zipkinEndpoint
	duration, timed := int64(0), false
	d.object(func(key []byte) {
		d.field = fieldName(key)
		switch string(key) {
		case "traceId":
			d.shortID(s.Trace[:])
		case "id":
			d.shortID(s.ID[:])
		case "parentId":
			d.shortID(s.Parent[:])
		case "name":
			s.Name = d.string()
		case "kind":
			s.Kind = zipkinKind(d.string())
		case "timestamp":
			s.Start, timed = d.micros(), true
		case "duration":
			duration = d.micros()
		case "localEndpoint":
			at = d.zipkinEndpoint()
		case "tags":
			s.Attributes = append(s.Attributes, d.zipkinTags()...)
		case "remoteEndpoint":
			s.Attributes = append(s.Attributes, d.zipkinEndpoint().peer()...)
		default: // annotations, debug, and shared, which equal ids show
			d.skip()
		}
	})
	s.End = s.Start + min(duration, math.MaxInt64-s.Start)
	s.Service, s.Resource = at.service, d.zipkinResource(at)
	readZipkinTags(s)
	if d.err == nil && !timed && !s.ID.IsZero() {
		d.fail("a span without a field timestamp")
	}
	return !s.Trace.IsZero() && !s.ID.IsZero()
}

func zipkinKind(name string) journey.Kind {
	switch name {
	case "CLIENT":
		return journey.KindClient
	case "SERVER":
		return journey.KindServer
	case "PRODUCER":
		return journey.KindProducer
	case "CONSUMER":
		return journey.KindConsumer
	}
	return journey.KindUnspecified
}

func (d *spanDecoder) zipkinEndpoint() zipkinEndpoint {
	var e zipkinEndpoint
	d.object(func(key []byte) {
		switch string(key) {
		case "serviceName":
			e.service = d.string()
		case "ipv4":
			e.ipv4 = d.string()
		case "ipv6":
			e.ipv6 = d.string()
		case "port":
			e.port = d.int()
		default:
			d.skip()
		}
	})
	return e
}

// peer returns the other side of a call as OpenTelemetry's mapping to Zipkin names it.
func (e zipkinEndpoint) peer() []journey.Attribute {
	var list []journey.Attribute
	if e.service != "" {
		list = append(list, journey.Attribute{Key: "peer.service", Value: journey.StringValue(e.service)})
	}
	if address := e.address(); address != "" {
		list = append(list, journey.Attribute{Key: "network.peer.address", Value: journey.StringValue(address)})
	}
	if e.port != 0 {
		list = append(list, journey.Attribute{Key: "network.peer.port", Value: journey.IntValue(e.port)})
	}
	return list
}

func (e zipkinEndpoint) address() string {
	if e.ipv4 != "" {
		return e.ipv4
	}
	return e.ipv6
}

// zipkinResource returns one resource for all spans of a service at an address.
func (d *spanDecoder) zipkinResource(e zipkinEndpoint) *journey.Resource {
	e.port = 0 // of one connection
	if r, ok := d.zipkinResources[e]; ok {
		return r
	}
	r := &journey.Resource{Attributes: []journey.Attribute{{Key: "service.name", Value: journey.StringValue(e.service)}}}
	if address := e.address(); address != "" {
		r.Attributes = append(r.Attributes, journey.Attribute{Key: "host.ip", Value: journey.StringValue(address)})
	}
	if d.zipkinResources == nil {
		d.zipkinResources = make(map[zipkinEndpoint]*journey.Resource)
	}
	if len(d.zipkinResources) < maxNames {
		d.zipkinResources[e] = r
	}
	return r
}

func (d *spanDecoder) zipkinTags() []journey.Attribute {
	if cap(d.attributes)-len(d.attributes) < 16 {
		d.attributes = make([]journey.Attribute, 0, 512)
	}
	from := len(d.attributes)
	d.object(func(key []byte) {
		a := journey.Attribute{Key: d.intern(key)}
		if d.peek() == '"' {
			a.Value = journey.StringValue(d.string())
		} else {
			a.Value = d.tagValue() // some clients write numbers, which Zipkin does not have
		}
		d.attributes = append(d.attributes, a)
	})
	return d.attributes[from:len(d.attributes):len(d.attributes)]
}

// messagingTags maps the tags in which instrumentation for Zipkin names a destination to messaging.system.
var messagingTags = map[string]string{
	"kafka.topic": "kafka", "rabbit.queue": "rabbitmq", "rabbit.routing_key": "rabbitmq", "rabbit.exchange": "rabbitmq",
	"jms.queue": "jms", "jms.topic": "jms", "sqs.queue_url": "aws_sqs",
}

// readZipkinTags moves tags into the span's fields, and adds the destination of a message under OpenTelemetry's names, which
// package journey reads.
func readZipkinTags(s *journey.Span) {
	failure, failed := s.Attr("error")
	readTags(s)
	switch {
	case !failed || s.Status == journey.StatusOK || failure.String() == "false":
	case failure.String() == "true" || failure.String() == "":
		s.Status = journey.StatusError
	default: // Zipkin keeps the message of an error there
		s.Status = journey.StatusError
		if s.StatusMessage == "" {
			s.StatusMessage = failure.String()
		}
	}
	if s.Kind != journey.KindProducer && s.Kind != journey.KindConsumer {
		return
	}
	if _, ok := s.Attr("messaging.system"); ok {
		return
	}
	for _, a := range s.Attributes {
		if system, ok := messagingTags[a.Key]; ok {
			s.Attributes = append(s.Attributes, journey.Attribute{Key: "messaging.system", Value: journey.StringValue(system)},
				journey.Attribute{Key: "messaging.destination.name", Value: a.Value})
			return
		}
	}
}
