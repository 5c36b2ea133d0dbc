package kafka

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/internal/batches"
	"tracelab/otelkgo"
	"tracelab/services/internal/carrier"
)

// Redrive sends dead letters back to their topic, and notes in a group of its own how far it came, so that a second one sends none of them
// again. One that is killed between the two sends some of them twice, which handlers that are idempotent do not feel. It returns how many it has
// sent, also beside an error.
func Redrive(ctx context.Context, r carrier.Redrive) (sent int, err error) {
	spans, err := newSpans(Config{BrokerConfig: r.Config})
	if err != nil {
		return 0, err
	}
	dead := r.Config.Prefix + r.Topic + carrier.DeadLetters
	client, err := kgo.NewClient(kgo.WithContext(ctx), kgo.SeedBrokers(r.Config.Addresses...), kgo.Dialer(r.Config.Dial), kgo.DisableClientMetrics(),
		kgo.ClientID(r.Config.Service), kgo.WithHooks(spans.hooks()...), kgo.RequiredAcks(kgo.AllISRAcks()), kgo.ProducerLinger(0),
		kgo.BrokerMaxReadBytes(answerBytes), kgo.FetchMaxWait(fetchWait), kgo.FetchMaxBytes(fetchBytes), kgo.FetchMaxPartitionBytes(partitionBytes), batches.Limit(batchBytes))
	if err != nil {
		return 0, fmt.Errorf("kafka client: %w", err)
	}
	defer client.Close()
	l := &letters{Redrive: r, client: client, spans: spans, dead: dead, group: r.Config.Prefix + r.Config.Service, done: kadm.Offsets{}}
	left, err := l.open(ctx)
	if err != nil || left == 0 {
		return 0, err
	}
	for sent < min(left, r.Most) && err == nil {
		var n int
		n, err = l.next(ctx, min(left, r.Most)-sent)
		sent += n
	}
	return sent, errors.Join(err, l.commit(ctx))
}

// letters are the dead letters of a topic that are there when a redrive begins.
type letters struct {
	carrier.Redrive
	client      *kgo.Client
	spans       spans
	dead, group string
	ends        kadm.ListedOffsets
	done        kadm.Offsets // behind what was sent
}

// open finds out how many there are, and begins to read them where the last redrive ended.
func (l *letters) open(ctx context.Context) (left int, err error) {
	admin := kadm.NewClient(l.client)
	if l.ends, err = admin.ListEndOffsets(ctx, l.dead); err == nil {
		err = l.ends.Error()
	}
	if errors.Is(err, kerr.UnknownTopicOrPartition) { // nothing was ever put there
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("look for the dead letters %s at %v: %w", l.dead, l.Config.Addresses, err)
	}
	begins, err := admin.ListStartOffsets(ctx, l.dead)
	if err != nil {
		return 0, fmt.Errorf("look for the dead letters %s: %w", l.dead, err)
	}
	commits, err := admin.FetchOffsets(ctx, l.group)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return 0, fmt.Errorf("ask how far the last redrive of %s came: %w", l.dead, err)
	}
	from := map[string]map[int32]kgo.Offset{l.dead: {}}
	l.ends.Each(func(end kadm.ListedOffset) {
		begin, _ := begins.Lookup(end.Topic, end.Partition)
		at := begin.Offset
		if commit, ok := commits.Lookup(end.Topic, end.Partition); ok {
			at = max(at, commit.At)
		}
		if at < end.Offset {
			left += int(end.Offset - at)
			from[l.dead][end.Partition] = kgo.NewOffset().At(at)
		}
	})
	l.client.AddConsumePartitions(from)
	return left, nil
}

// next reads some of them and sends them back, and returns how many.
func (l *letters) next(ctx context.Context, most int) (sent int, err error) {
	fetches := l.client.PollRecords(ctx, most)
	if ctx.Err() != nil {
		return 0, fmt.Errorf("read the dead letters %s: %w", l.dead, context.Cause(ctx))
	}
	fetches.EachError(func(_ string, _ int32, failed error) { err = errors.Join(err, failed) })
	for _, r := range fetches.Records() {
		if err != nil {
			break
		}
		if end, _ := l.ends.Lookup(r.Topic, r.Partition); r.Offset >= end.Offset { // it came meanwhile
			continue
		}
		if err = l.send(ctx, r); err == nil {
			sent++
			l.done.Add(kadm.Offset{Topic: r.Topic, Partition: r.Partition, At: r.Offset + 1, LeaderEpoch: -1})
		}
	}
	return sent, err
}

// send sends one back, under a process span of its own.
func (l *letters) send(ctx context.Context, r *kgo.Record) error {
	processing, end := l.spans.process(ctx, r)
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
