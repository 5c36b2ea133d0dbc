package lab

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/services"
	"tracelab/services/flows"
)

// GroupLag is how many records of a topic a consumer group has not committed: they wait, or are being handled.
type GroupLag struct {
	Group, Topic string // without the prefix of this lab
	Records      int64
}

// DeadLetters is how many records are in a topic of dead letters, or messages in RabbitMQ's queue of them.
type DeadLetters struct {
	Topic   string // or the queue, without the prefix of this lab
	Records int64
}

// brokerWatch asks a Kafka for lags and dead letters. Nil is that of a lab in which nothing comes over a Kafka.
type brokerWatch struct {
	config services.Config
	groups []string
	dead   []string // topics

	question question[brokerState]

	mu     sync.Mutex
	client *kgo.Client // nil until it is needed
}

// brokerState is what waits in a Kafka, and what was put aside there.
type brokerState struct {
	lag  []GroupLag
	dead []DeadLetters
}

// waits tells whether there is a record that its group has not committed.
func (s brokerState) waits() bool {
	return slices.ContainsFunc(s.lag, func(l GroupLag) bool { return l.Records > 0 })
}

// newBrokerWatch is nil where nothing comes over a Kafka.
func newBrokerWatch(f *flows.Flow, config services.Config) *brokerWatch {
	w := &brokerWatch{config: config}
	w.question.ask = w.read
	for _, service := range f.Services() {
		if len(f.Consumes(service, flows.KafkaLog)) > 0 {
			w.groups = append(w.groups, config.Prefix+service)
		}
	}
	if len(w.groups) == 0 {
		return nil
	}
	for _, topic := range f.Topics() {
		w.dead = append(w.dead, config.Prefix+topic+services.DeadLetters)
	}
	return w
}

// consumes tells whether a service is a member of a group.
func (w *brokerWatch) consumes(service string) bool {
	return w != nil && slices.Contains(w.groups, w.config.Prefix+service)
}

// now is what was asked last, as a question does it. The error says since when, in words.
func (w *brokerWatch) now(done func()) ([]GroupLag, []DeadLetters, error) {
	if w == nil {
		return nil, nil, nil
	}
	state, at, err := w.question.now(done)
	return slices.Clone(state.lag), slices.Clone(state.dead), notHeard(err, at)
}

// connect returns the client, which it makes when it is first needed.
func (w *brokerWatch) connect() (*kgo.Client, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.client != nil {
		return w.client, nil
	}
	options := []kgo.Opt{kgo.SeedBrokers(w.config.Kafka...), kgo.DisableClientMetrics(), kgo.ClientID("tracelab")}
	if w.config.Network.Dial != nil {
		options = append(options, kgo.Dialer(w.config.Network.Dial))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return nil, fmt.Errorf("kafka client: %w", err)
	}
	w.client = client
	return client, nil
}

// read asks for the lag of each group, and for the length of each topic of dead letters.
func (w *brokerWatch) read(ctx context.Context) (state brokerState, err error) {
	client, err := w.connect()
	if err != nil {
		return state, err
	}
	admin := kadm.NewClient(client)
	lags, err := admin.Lag(ctx, w.groups...)
	if err != nil {
		return state, fmt.Errorf("ask for lags: %w", err)
	}
	lags.Each(func(group kadm.DescribedGroupLag) {
		for topic, partitions := range group.Lag {
			records := int64(0)
			for _, p := range partitions {
				records += max(0, p.Lag)
			}
			state.lag = append(state.lag, GroupLag{w.name(group.Group), w.name(topic), records})
		}
	})
	slices.SortFunc(state.lag, func(a, b GroupLag) int { return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Topic, b.Topic)) })
	state.dead, err = w.readDead(ctx, admin)
	return state, err
}

// readDead asks for the topics of dead letters that are there: most never are.
func (w *brokerWatch) readDead(ctx context.Context, admin *kadm.Client) (found []DeadLetters, err error) {
	topics, err := admin.ListTopics(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask for topics: %w", err)
	}
	there := slices.DeleteFunc(slices.Clone(w.dead), func(name string) bool { return !topics.Has(name) })
	if len(there) == 0 {
		return nil, nil
	}
	starts, err := admin.ListStartOffsets(ctx, there...)
	if err != nil {
		return nil, fmt.Errorf("ask for dead letters: %w", err)
	}
	ends, err := admin.ListEndOffsets(ctx, there...)
	if err != nil {
		return nil, fmt.Errorf("ask for dead letters: %w", err)
	}
	for _, topic := range there {
		letters := DeadLetters{Topic: w.name(topic)}
		for partition, end := range ends[topic] {
			start, _ := starts.Lookup(topic, partition)
			letters.Records += max(0, end.Offset-start.Offset)
		}
		found = append(found, letters)
	}
	return found, nil
}

func (w *brokerWatch) name(topic string) string { return strings.TrimPrefix(topic, w.config.Prefix) }

// close ends the connection. Nothing is asked after it.
func (w *brokerWatch) close() {
	if w == nil {
		return
	}
	w.question.close()
	if w.client != nil {
		w.client.Close()
	}
}
