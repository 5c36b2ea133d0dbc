package kafka

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/otelkgo"
	"tracelab/services/internal/carrier"
)

// Redrive sends dead letters back to their topic, and notes in a group of its own how far it came, so that a second one sends none of them
// again. One that is killed between the two sends some of them twice, which handlers that are idempotent do not feel. It returns how many it has
// sent, and how many batches it has left behind as nobody can read them, also beside an error.
func Redrive(ctx context.Context, r carrier.Redrive) (done carrier.SentBack, err error) {
	spans, err := newSpans(Config{BrokerConfig: r.Config})
	if err != nil {
		return done, err
	}
	l, err := newLetters(ctx, r, kgo.WithHooks(spans.hooks()...), kgo.RequiredAcks(kgo.AllISRAcks()), kgo.ProducerLinger(0))
	if err != nil {
		return done, err
	}
	defer l.client.Close()
	sent := 0
	err = l.open(ctx)
	for len(l.left) > 0 && sent < r.Most && err == nil {
		err = l.next(ctx, r.Most-sent, func(record *kgo.Record) error {
			err := l.send(ctx, spans, record)
			if err == nil {
				sent++
			}
			return err
		})
	}
	return carrier.SentBack{Sent: sent, Skipped: l.skipped}, errors.Join(err, l.commit(ctx))
}

// send sends one back, under a process span of its own.
func (l *letters) send(ctx context.Context, spans spans, r *kgo.Record) error {
	processing, end := spans.process(ctx, r)
	back := &kgo.Record{Topic: l.Config.Prefix + l.Topic, Key: r.Key, Value: r.Value}
	redriven := 0
	for _, h := range r.Headers {
		switch {
		case h.Key == carrier.HeaderRedriven:
			redriven, _ = strconv.Atoi(string(h.Value)) // of one that is no number it is the first time
		case !carrier.IsOriginHeader(h.Key):
			back.Headers = append(back.Headers, h)
		}
	}
	back.Headers = append(back.Headers, kgo.RecordHeader{Key: carrier.HeaderRedriven, Value: []byte(strconv.Itoa(max(0, redriven) + 1))})
	acknowledged := make(chan error, 1)
	l.client.Produce(otelkgo.KeepCreationContext(processing), back, func(_ *kgo.Record, err error) { acknowledged <- err })
	err := <-acknowledged
	if err != nil {
		err = fmt.Errorf("send a dead letter back to %s: %w", back.Topic, err)
	}
	end(err)
	return err
}

// commit notes how far it came, also when the context has ended meanwhile.
func (l *letters) commit(ctx context.Context) error {
	if len(l.done) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dialTimeout)
	defer cancel()
	answer, err := kadm.NewClient(l.client).CommitOffsets(ctx, l.group, l.done)
	if err == nil {
		err = answer.Error()
	}
	if err != nil {
		return fmt.Errorf("note how far the redrive of %s came; another one sends these again: %w", l.dead, err)
	}
	return nil
}
