package otelkgo

import (
	"context"
	"net"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// clientState is what is known about one kgo client, and the attribute sets
// made from it. It is also the client's hook.
type clientState struct {
	in *Instrumentation

	// What the client says of itself. Written by OnNewClient, before the
	// client starts a goroutine.
	id     string
	group  string
	server []attribute.KeyValue
	// defaultTopic is where records without a topic go.
	defaultTopic string
	// recordContext is the context of every fetched record: it holds this state,
	// since a record does not name its client.
	recordContext context.Context

	topics topics
}

type clientStateKey struct{}

func newClientState(in *Instrumentation) *clientState {
	cs := &clientState{in: in}
	cs.recordContext = context.WithValue(context.Background(), clientStateKey{}, cs)
	return cs
}

// Hooks returns the hooks of one client, for kgo.WithHooks. Call it once for
// each client: two clients that share hooks would share an id and a group.
func (in *Instrumentation) Hooks() []kgo.Hook {
	in = in.usable()
	return []kgo.Hook{newClientState(in)}
}

// OnNewClient learns the client's id, group and seed broker.
func (cs *clientState) OnNewClient(cl *kgo.Client) {
	cs.learn(cl)
	cs.in.clients.Store(cl, cs)
}

// OnClientClosed forgets the client.
func (cs *clientState) OnClientClosed(cl *kgo.Client) {
	cs.in.clients.Delete(cl)
}

func (cs *clientState) learn(cl *kgo.Client) {
	id, _ := cl.OptValue(kgo.ClientID).(string)
	cs.id = text(id)
	if seeds, _ := cl.OptValue(kgo.SeedBrokers).([]string); len(seeds) > 0 {
		cs.server = serverAttributes(seeds[0])
	}
	cs.defaultTopic, _ = cl.OptValue(kgo.DefaultProduceTopic).(string)
	cs.group, _ = cl.OptValue(kgo.ConsumerGroup).(string)
	if cs.group == "" {
		cs.group, _ = cl.OptValue(kgo.ShareGroup).(string)
	}
}

// serverAttributes names the first seed broker. Which broker will get a record
// is not known when its span starts, and the seed names the cluster.
func serverAttributes(seed string) []attribute.KeyValue {
	host, port, err := net.SplitHostPort(seed)
	if err != nil {
		return []attribute.KeyValue{semconv.ServerAddress(text(seed))}
	}
	attrs := []attribute.KeyValue{semconv.ServerAddress(text(host))}
	if n, err := strconv.Atoi(port); err == nil {
		attrs = append(attrs, semconv.ServerPort(n))
	}
	return attrs
}

// client returns the state of cl. A client that was made without Hooks gets a
// state that lives for this one call.
func (in *Instrumentation) client(cl *kgo.Client) *clientState {
	if cl == nil {
		return in.unknown
	}
	if v, ok := in.clients.Load(cl); ok {
		return v.(*clientState)
	}
	cs := newClientState(in)
	cs.learn(cl)
	return cs
}

// topic returns the state of a topic of this client.
func (cs *clientState) topic(name string) *topicState { return cs.topics.get(cs, name) }

// clientOf returns the state of the client that fetched r.
func (in *Instrumentation) clientOf(r *kgo.Record) *clientState {
	if r.Context != nil {
		if cs, ok := r.Context.Value(clientStateKey{}).(*clientState); ok && cs.in == in {
			return cs
		}
	}
	return in.unknown
}

// OnFetchRecordBuffered marks a record as fetched by this client. It starts no
// span: most records wait in the client before they are polled, and some never are.
func (cs *clientState) OnFetchRecordBuffered(r *kgo.Record) {
	if r.Context == nil || r.Context == context.Background() {
		r.Context = cs.recordContext
		return
	}
	r.Context = context.WithValue(r.Context, clientStateKey{}, cs)
}
