package store

import (
	"context"

	"go.etcd.io/bbolt"
)

// Find returns the handling that had the effect.
func (b *Bolt) Find(_ context.Context, unit, step string) (handling uint64, err error) {
	key := noteKeyOf(unit, step)
	err = b.read(func(tx *bbolt.Tx) error {
		handling = note(tx, key)
		return nil
	})
	return handling, err
}

// note looks a note up in both generations.
func note(tx *bbolt.Tx, key noteKey) uint64 {
	for _, name := range [][]byte{young, older} {
		if handling := number(tx.Bucket(name).Get(key[:])); handling != 0 {
			return handling
		}
	}
	return 0
}

// Put notes the handling that had the effect, unless another one had it, and returns when the note is on disk.
func (b *Bolt) Put(_ context.Context, unit, step string, handling uint64) (stands uint64, err error) {
	key := noteKeyOf(unit, step)
	err = b.write(func(tx *bbolt.Tx) error {
		if stands = note(tx, key); stands != 0 {
			return nil
		}
		stands = handling
		bucket := tx.Bucket(young)
		if bucket.Sequence() >= uint64(b.limits.Effects) {
			var err error
			if bucket, err = turn(tx); err != nil {
				return err
			}
		}
		if _, err := bucket.NextSequence(); err != nil { // counts the notes
			return err
		}
		return bucket.Put(key[:], numeral(handling))
	})
	return stands, err
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
