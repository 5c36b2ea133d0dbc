package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// Bolt keeps notes in a bbolt file, which stays whole when the process is killed. Like Memory it has two generations.
type Bolt struct {
	db    *bbolt.DB
	limit uint64
}

const (
	lockTimeout = time.Second            // for another process to close the file
	batchDelay  = 500 * time.Microsecond // for which a note waits for others to share its write
)

var young, older = []byte("effects"), []byte("effects.older")

// OpenBolt opens or creates the file, for up to 2 × limit notes.
func OpenBolt(path string, limit int) (*Bolt, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockTimeout})
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, fmt.Errorf("effects file %s: another process has it open: give each process a file of its own: %w", path, err)
	}
	if err != nil {
		return nil, fmt.Errorf("effects file %s: %w", path, err)
	}
	db.MaxBatchDelay = batchDelay
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{young, older} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("effects file %s: %w", path, err), db.Close())
	}
	return &Bolt{db: db, limit: uint64(max(1, limit))}, nil
}

// Find returns the handling that had the effect.
func (b *Bolt) Find(unit, step string) (handling uint64, err error) {
	key := keyOf(unit, step)
	err = b.db.View(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{young, older} {
			if value := tx.Bucket(name).Get(key[:]); len(value) == 8 {
				handling = binary.BigEndian.Uint64(value)
				return nil
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("look for an effect: %w", err)
	}
	return handling, nil
}

// Put notes the handling that had the effect, and returns when the note is on disk.
func (b *Bolt) Put(unit, step string, handling uint64) error {
	key := keyOf(unit, step)
	err := b.db.Batch(func(tx *bbolt.Tx) error {
		bucket := tx.Bucket(young)
		if bucket.Sequence() >= b.limit {
			var err error
			if bucket, err = turn(tx); err != nil {
				return err
			}
		}
		if _, err := bucket.NextSequence(); err != nil { // counts the notes
			return err
		}
		return bucket.Put(key[:], binary.BigEndian.AppendUint64(nil, handling))
	})
	if err != nil {
		return fmt.Errorf("note an effect: %w", err)
	}
	return nil
}

// turn deletes the older generation, makes the young one the older, and begins a new one.
func turn(tx *bbolt.Tx) (*bbolt.Bucket, error) {
	if err := tx.DeleteBucket(older); err != nil {
		return nil, err
	}
	to, err := tx.CreateBucket(older)
	if err != nil {
		return nil, err
	}
	if err := tx.Bucket(young).ForEach(to.Put); err != nil {
		return nil, err
	}
	if err := tx.DeleteBucket(young); err != nil {
		return nil, err
	}
	return tx.CreateBucket(young)
}

// Close closes the file.
func (b *Bolt) Close() error { return b.db.Close() }
