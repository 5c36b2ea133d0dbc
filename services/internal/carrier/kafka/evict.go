package kafka

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Eviction returns a function that tells the group's coordinator, over a connection of its own, that this member is gone. The others then need
// not wait until its session ends. It is for a member that was killed and cannot tell by itself; nil when it was none.
func (k *Broker) Eviction() func(ctx context.Context) error {
	member, _ := k.client.GroupMetadata()
	if len(k.config.Consume) == 0 || member == "" {
		return nil
	}
	return func(ctx context.Context) error {
		client, err := kgo.NewClient(kgo.WithContext(ctx), kgo.SeedBrokers(k.config.Addresses...), kgo.Dialer(k.config.Evict), kgo.DisableClientMetrics())
		if err != nil {
			return fmt.Errorf("kafka client: %w", err)
		}
		defer client.Close()
		leave := kmsg.NewPtrLeaveGroupRequest()
		leave.Group, leave.MemberID = k.config.Prefix+k.config.Service, member
		gone := kmsg.NewLeaveGroupRequestMember()
		gone.MemberID = member
		leave.Members = append(leave.Members, gone)
		if _, err := leave.RequestWith(ctx, client); err != nil {
			return fmt.Errorf("take %s out of its group: %w", k.config.Service, err)
		}
		return nil
	}
}
