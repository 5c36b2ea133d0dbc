package watch

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// errNoMember says that this watcher is not a member at the moment, so it cannot commit. The next owner of the partitions begins at the last commit.
var errNoMember = errors.New("this watcher is between two memberships of the group")

// commitOffsets commits offsets as a member of the group, by partition. The client's own commit would block during a rebalance. This one fails
// instead, and the next commit includes its offsets.
func (s *stage) commitOffsets(ctx context.Context, offsets map[int32]int64) error {
	member, generation := s.client.GroupMetadata()
	if member == "" {
		return errNoMember
	}
	request := kmsg.NewPtrOffsetCommitRequest()
	request.Group, request.MemberID, request.Generation, request.InstanceID = s.group, member, generation, &s.w.config.Instance
	topic := kmsg.NewOffsetCommitRequestTopic()
	topic.Topic = s.topic
	var err error
	if topic.TopicID, err = s.topicID(ctx); err != nil {
		return err
	}
	for id, at := range offsets {
		partition := kmsg.NewOffsetCommitRequestTopicPartition()
		partition.Partition, partition.Offset = id, at
		topic.Partitions = append(topic.Partitions, partition)
	}
	request.Topics = append(request.Topics, topic)
	answer, err := request.RequestWith(ctx, s.client)
	if err != nil {
		return err
	}
	for _, topic := range answer.Topics {
		for _, p := range topic.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				s.id = kadm.TopicID{} // the topic may have been deleted and created again
				return fmt.Errorf("partition %d: %w", p.Partition, err)
			}
		}
	}
	return nil
}

// topicID returns the topic's id, which newer brokers want in place of its name.
func (s *stage) topicID(ctx context.Context) (id kadm.TopicID, err error) {
	if s.id != id {
		return s.id, nil
	}
	details, err := s.admin.ListTopics(ctx, s.topic)
	if err == nil {
		err = details[s.topic].Err
	}
	if err != nil {
		return id, fmt.Errorf("look for topic %s: %w", s.topic, err)
	}
	s.id = details[s.topic].ID
	return s.id, nil
}
