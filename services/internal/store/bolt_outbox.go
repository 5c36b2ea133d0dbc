package store

import (
	"context"
	"encoding/json"
	"fmt"

	"go.etcd.io/bbolt"
)

// enqueue adds messages.
func enqueue(tx *bbolt.Tx, messages []Message) error {
	box := tx.Bucket(outboxBucket)
	for _, message := range messages {
		id, err := box.NextSequence()
		if err != nil {
			return err
		}
		value, err := json.Marshal(message)
		if err != nil {
			return err
		}
		if err := box.Put(numeral(id), value); err != nil {
			return err
		}
	}
	return nil
}

// Enqueue puts messages into the outbox.
func (b *Bolt) Enqueue(_ context.Context, messages ...Message) error {
	if b.boxed.Load()+int64(len(messages)) > int64(b.limits.Messages) {
		return ErrOutboxFull
	}
	if err := b.write(func(tx *bbolt.Tx) error { return enqueue(tx, messages) }); err != nil {
		return err
	}
	b.boxed.Add(int64(len(messages)))
	return nil
}

// Waiting returns the oldest messages.
func (b *Bolt) Waiting(_ context.Context, limit int) (messages []Message, err error) {
	err = b.read(func(tx *bbolt.Tx) error {
		cursor := tx.Bucket(outboxBucket).Cursor()
		for id, value := cursor.First(); id != nil && len(messages) < limit; id, value = cursor.Next() {
			message := Message{}
			if err := json.Unmarshal(value, &message); err != nil {
				return fmt.Errorf("message %d of the outbox: %w", number(id), err)
			}
			message.ID = number(id)
			messages = append(messages, message)
		}
		return nil
	})
	return messages, err
}

// Remove removes messages.
func (b *Bolt) Remove(_ context.Context, ids ...uint64) error {
	var removed int64
	err := b.write(func(tx *bbolt.Tx) error {
		removed = 0
		box := tx.Bucket(outboxBucket)
		for _, id := range ids {
			if box.Get(numeral(id)) == nil {
				continue
			}
			if err := box.Delete(numeral(id)); err != nil {
				return err
			}
			removed++
		}
		return nil
	})
	if err == nil {
		b.boxed.Add(-removed)
	}
	return err
}

// Adopt finds nothing: all messages in the file are this process's.
func (b *Bolt) Adopt(context.Context) (int, error) { return 0, nil }

// Backlog counts the messages.
func (b *Bolt) Backlog(context.Context) (int, error) { return int(b.boxed.Load()), nil }
