package lab

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/internal/process"
	"tracelab/services"
)

// Broker is the Kafka that the lab brings along: one broker in this process, speaking the real protocol. It keeps
// little, forgets all in the end, and ends the process on a request that it does not know, so it listens on loopback
// only and is for the lab alone. StartBroker makes one; the zero Broker is at no address, and cannot be started.
type Broker struct {
	cluster *kfake.Cluster
	trimmer *trimmer
	port    *process.Port

	mu    sync.Mutex // held while it is stopped, paused or started
	state string     // "" at first: running
}

// StartBroker starts the embedded Kafka on a free port of 127.0.0.1, or on the network given.
func StartBroker(network services.Network) (*Broker, error) {
	b := &Broker{}
	var err error
	b.cluster, err = kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.ListenFn(b.listenOn(network.Listen)),
		// For programs of a person's own (docs/8-your-own-service.md); the lab's clients do not ask for it.
		kfake.AllowAutoTopicCreation(),
		// Topics have a retention in bytes; without a cleaner that looks often, it would never be applied.
		kfake.BrokerConfigs(map[string]string{"log.cleaner.backoff.ms": "5000"}),
	)
	if err != nil {
		return nil, fmt.Errorf("start the embedded kafka: %w", err)
	}
	b.trimmer = startTrimmer(b.cluster.ListenAddrs(), network)
	return b, nil
}

// Addresses are host:port of the broker.
func (b *Broker) Addresses() []string {
	if b.cluster == nil {
		return nil
	}
	return b.cluster.ListenAddrs()
}

// Close ends it; what it held is gone.
func (b *Broker) Close() {
	if b.cluster == nil {
		return
	}
	b.trimmer.stop()
	b.cluster.Close()
}

// brokerVersion says which Kafka answers at these addresses, as far as the requests that it knows tell.
func brokerVersion(ctx context.Context, addresses []string, network services.Network) string {
	at := strings.Join(addresses, ", ")
	version, err := askKafka(ctx, addresses, network)
	if err != nil {
		return "Kafka at " + at
	}
	return fmt.Sprintf("Kafka %s, by the requests that it knows, at %s", version, at)
}

// askTimeout bounds a question to a broker.
const askTimeout = time.Second

// askKafka asks which requests a Kafka knows, and guesses its version from them. It is an error when no broker answers.
func askKafka(ctx context.Context, addresses []string, network services.Network) (version string, err error) {
	options := []kgo.Opt{kgo.SeedBrokers(addresses...)}
	if network.Dial != nil {
		options = append(options, kgo.Dialer(network.Dial))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return "", err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	brokers, err := kadm.NewClient(client).ApiVersions(ctx)
	if err != nil {
		return "", err
	}
	err = errors.New("no broker answers")
	for _, broker := range brokers.Sorted() {
		if broker.Err == nil {
			return broker.VersionGuess(), nil
		}
		err = broker.Err
	}
	return "", err
}
