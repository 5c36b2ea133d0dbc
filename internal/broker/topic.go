//go:build linux || darwin

package broker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// MakeTopic makes a topic at the broker that listens at the address, for records of up to maxBytes. One that is there stays as it is.
func MakeTopic(ctx context.Context, address, name string, partitions int32, maxBytes int) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(address))
	if err != nil {
		return err
	}
	defer client.Close()
	limit := fmt.Sprint(maxBytes)
	_, err = kadm.NewClient(client).CreateTopic(ctx, partitions, 1, map[string]*string{"max.message.bytes": &limit}, name)
	if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
		return fmt.Errorf("create topic %s: %w", name, err)
	}
	return nil
}
