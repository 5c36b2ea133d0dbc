package kafka

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/otelkgo"
	"tracelab/services/internal/carrier"
)

// deadLetter puts a record with the dead letters of its topic, which is made when it gets its first one. The record keeps its headers, its
// creation context among them; others say where it comes from and why it is here. It returns when the broker has it.
func (k *Broker) deadLetter(ctx context.Context, r *kgo.Record, death carrier.Death) error {
	topic := r.Topic + carrier.DeadLetters
	if err := k.deadTopic(ctx, topic); err != nil {
		return err
	}
	dead := &kgo.Record{Topic: topic, Key: r.Key, Value: r.Value}
	for _, h := range r.Headers {
		if !carrier.IsDeathHeader(h.Key) {
			dead.Headers = append(dead.Headers, h)
		}
	}
	for _, h := range append(death.Headers(ctx), [2]string{carrier.HeaderOriginPartition, strconv.Itoa(int(r.Partition))}, [2]string{carrier.HeaderOriginOffset, strconv.FormatInt(r.Offset, 10)}) {
		dead.Headers = append(dead.Headers, kgo.RecordHeader{Key: h[0], Value: []byte(h[1])})
	}
	err := k.produce(otelkgo.KeepCreationContext(ctx), dead)
	if errors.Is(err, kerr.MessageTooLarge) { // nobody can take it: that must not stop the others
		k.log.ErrorContext(ctx, "a message is lost: it is too large for the dead letters", "topic", r.Topic, "partition", r.Partition, "offset", r.Offset, "bytes", len(r.Value))
		return nil
	}
	if err != nil {
		return fmt.Errorf("put a record with the dead letters %s: %w", topic, err)
	}
	return nil
}

// deadTopic makes a topic for dead letters, once.
func (k *Broker) deadTopic(ctx context.Context, topic string) error {
	k.deadTopics.Lock()
	defer k.deadTopics.Unlock()
	if k.deadTopics.made[topic] {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dialTimeout)
	defer cancel()
	defer context.AfterFunc(k.life, cancel)()
	if err := k.createTopics(ctx, topic); err != nil {
		return err
	}
	if k.deadTopics.made == nil {
		k.deadTopics.made = map[string]bool{}
	}
	k.deadTopics.made[topic] = true
	return nil
}

// produce sends a record and waits until the broker has it, or the client is closed.
func (k *Broker) produce(ctx context.Context, r *kgo.Record) error {
	acknowledged := make(chan error, 1)
	k.client.Produce(context.WithoutCancel(ctx), r, func(r *kgo.Record, err error) {
		k.sending.end(r)
		acknowledged <- err
	})
	return <-acknowledged
}

// headerOf is the last header of a name; "" when there is none.
func headerOf(r *kgo.Record, name string) string {
	value := ""
	for _, h := range r.Headers {
		if h.Key == name {
			value = string(h.Value)
		}
	}
	return value
}
