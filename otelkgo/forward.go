package otelkgo

import (
	"context"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The headers in which Forward, Retry and DeadLetter write where a record comes
// from. The first record's place stays through any number of steps.
const (
	HeaderOriginTopic     = "otelkgo-origin-topic"
	HeaderOriginPartition = "otelkgo-origin-partition"
	HeaderOriginOffset    = "otelkgo-origin-offset"
	HeaderOriginTimestamp = "otelkgo-origin-timestamp" // milliseconds since 1970
	HeaderAttempt         = "otelkgo-attempt"          // 1 for the first retry
	HeaderErrorType       = "otelkgo-error-type"
	HeaderErrorMessage    = "otelkgo-error-message" // at most 1024 bytes of UTF-8
)

// Forward returns a new record for topic with the key, the value and the
// headers of r, for Produce. A consumed record must not be produced again as
// it is: it would keep its old context.
//
// ctx is that of the process span: the send span of the new record is its
// child, and links to the creation context of r.
func (in *Instrumentation) Forward(ctx context.Context, r *kgo.Record, topic string) *kgo.Record {
	in, ctx = in.usable(), orBackground(ctx)
	if r == nil {
		return &kgo.Record{Topic: topic, Context: ctx}
	}
	next := &kgo.Record{Topic: topic, Key: r.Key, Value: r.Value}
	for i := range r.Headers {
		if !in.isContext(&r.Headers[i]) {
			next.Headers = append(next.Headers, r.Headers[i])
		}
	}
	if _, ok := OriginOf(r); !ok {
		c := RecordCarrier{next}
		c.Set(HeaderOriginTopic, r.Topic)
		c.Set(HeaderOriginPartition, strconv.Itoa(int(r.Partition)))
		c.Set(HeaderOriginOffset, strconv.FormatInt(r.Offset, 10))
		c.Set(HeaderOriginTimestamp, strconv.FormatInt(r.Timestamp.UnixMilli(), 10))
	}
	previous, _ := in.extractLink(r)
	next.Context = withOrigin(ctx, &origin{previous: previous})
	return next
}

// Retry is Forward with the attempt counted.
func (in *Instrumentation) Retry(ctx context.Context, r *kgo.Record, topic string) *kgo.Record {
	next := in.Forward(ctx, r, topic)
	RecordCarrier{next}.Set(HeaderAttempt, strconv.Itoa(Attempt(r)+1))
	return next
}

// DeadLetter is Forward with the error that ended the attempts.
func (in *Instrumentation) DeadLetter(ctx context.Context, r *kgo.Record, topic string, cause error) *kgo.Record {
	next := in.Forward(ctx, r, topic)
	if cause != nil {
		c := RecordCarrier{next}
		c.Set(HeaderErrorType, errorType(cause))
		c.Set(HeaderErrorMessage, text(cause.Error()))
	}
	return next
}

// Attempt returns how often the record was retried: 0 for one that was not, or
// whose header is no number.
func Attempt(r *kgo.Record) int {
	n, err := strconv.Atoi(RecordCarrier{r}.Get(HeaderAttempt))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// Origin is the place from which a forwarded record came at first.
type Origin struct {
	Topic     string
	Partition int32
	Offset    int64
	Timestamp time.Time
}

// OriginOf returns where r came from at first, and whether its headers say so.
func OriginOf(r *kgo.Record) (Origin, bool) {
	c := RecordCarrier{r}
	topic := c.Get(HeaderOriginTopic)
	partition, err := strconv.ParseInt(c.Get(HeaderOriginPartition), 10, 32)
	if topic == "" || err != nil {
		return Origin{}, false
	}
	offset, err := strconv.ParseInt(c.Get(HeaderOriginOffset), 10, 64)
	if err != nil {
		return Origin{}, false
	}
	ms, err := strconv.ParseInt(c.Get(HeaderOriginTimestamp), 10, 64)
	if err != nil {
		return Origin{}, false
	}
	return Origin{topic, int32(partition), offset, time.UnixMilli(ms)}, true
}
