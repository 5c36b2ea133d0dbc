package kafka

import (
	"errors"

	"github.com/twmb/franz-go/pkg/kerr"

	"tracelab/services/internal/carrier"
)

// refusal marks an answer that says that the broker will never take the record. Others are about its time, or about the client.
func refusal(err error) error {
	for _, final := range []error{
		kerr.MessageTooLarge, kerr.RecordListTooLarge, kerr.InvalidTopicException, kerr.TopicAuthorizationFailed, kerr.ClusterAuthorizationFailed,
		kerr.PolicyViolation, kerr.InvalidRecord, kerr.InvalidTimestamp,
	} {
		if errors.Is(err, final) {
			return &carrier.RefusedError{Err: err}
		}
	}
	return err
}
