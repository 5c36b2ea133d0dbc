package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tracelab/services/flows"
)

// kafkaPart is the Kafka of a lab.
type kafkaPart struct {
	flow      *flows.Flow
	addresses []string // of brokers, host:port
	prefix    string   // of the services' topics and groups
	client    *kgo.Client
	admin     *kadm.Client // of the same
}

func openKafkaPart(ctx context.Context, c Config) (*kafkaPart, error) {
	client, err := openKafka(ctx, c.Kafka)
	if err != nil {
		return nil, err
	}
	return &kafkaPart{c.flow(), c.Kafka, c.Prefix, client, kadm.NewClient(client)}, nil
}

// openKafka makes a client that only asks and reads: it joins no group. It ends with the context, or a connection that nobody
// answers would outlast the request.
func openKafka(ctx context.Context, addresses []string) (*kgo.Client, error) {
	client, err := kgo.NewClient(kgo.WithContext(ctx), kgo.SeedBrokers(addresses...), kgo.ClientID("tracelab-doctor"), kgo.DisableClientMetrics(),
		kgo.DialTimeout(oneAnswer), kgo.RequestTimeoutOverhead(oneAnswer), kgo.RequestRetries(1), kgo.MetadataMinAge(retryInterval))
	if err != nil {
		return nil, fmt.Errorf("kafka client: %w", err)
	}
	return client, nil
}

// kafkaAnswers returns nil when a broker answers a request for metadata.
func kafkaAnswers(ctx context.Context, addresses []string) error {
	asking, cancel := withSpare(ctx)
	defer cancel()
	client, err := openKafka(asking, addresses)
	if err != nil {
		return err
	}
	defer client.Close()
	_, err = brokers(ctx, client, addresses)
	return err
}

// brokers asks for the brokers of the cluster. The error says what was seen.
func brokers(ctx context.Context, client *kgo.Client, addresses []string) ([]kmsg.MetadataResponseBroker, error) {
	request := kmsg.NewPtrMetadataRequest()
	request.Topics = []kmsg.MetadataRequestTopic{} // none
	once, cancel := withSpare(ctx)
	defer cancel()
	once, cancel = context.WithTimeout(once, oneAnswer)
	defer cancel()
	answer, err := request.RequestWith(once, client)
	if err == nil {
		if len(answer.Brokers) > 0 {
			return answer.Brokers, nil
		}
		return nil, errors.New("it answers, and knows no broker yet")
	}
	var seen []string
	for _, address := range addresses {
		seen = append(seen, address+": "+identify(ctx, address))
	}
	return nil, fmt.Errorf("%s", strings.Join(seen, "; "))
}
