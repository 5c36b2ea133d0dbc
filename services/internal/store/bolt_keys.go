package store

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"

	"go.etcd.io/bbolt"
)

// reservation reads a key's reservation; nil when there is none.
func reservation(tx *bbolt.Tx, key Key) (*Reservation, error) {
	value := tx.Bucket(keysBucket).Get(key[:])
	if value == nil {
		return nil, nil
	}
	r := &Reservation{}
	if err := json.Unmarshal(value, r); err != nil {
		return nil, fmt.Errorf("reservation: %w", err)
	}
	r.Key = key
	return r, nil
}

func reserve(tx *bbolt.Tx, r *Reservation) error {
	value, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return tx.Bucket(keysBucket).Put(r.Key[:], value)
}

// Reserve reserves a key.
func (b *Bolt) Reserve(_ context.Context, r Reservation) (held Reservation, taken bool, err error) {
	err = b.write(func(tx *bbolt.Tx) error {
		held, taken = r, true
		before, err := reservation(tx, r.Key)
		if err != nil {
			return err
		}
		if before != nil {
			held, taken = *before, false
			return nil
		}
		return reserve(tx, &r)
	})
	return held, taken, err
}

// Release frees a key.
func (b *Bolt) Release(_ context.Context, key Key, unit string) error {
	return b.write(func(tx *bbolt.Tx) error {
		if r, err := reservation(tx, key); err != nil || r == nil || r.Unit != unit {
			return err
		}
		return tx.Bucket(keysBucket).Delete(key[:])
	})
}

// Answer keeps the answer to a key.
func (b *Bolt) Answer(_ context.Context, key Key, unit string, answer []byte) error {
	return b.write(func(tx *bbolt.Tx) error {
		r, err := reservation(tx, key)
		if err != nil || r == nil || r.Unit != unit {
			return err
		}
		r.Answer = answer
		return reserve(tx, r)
	})
}

// count adds to the sums of a form.
func count(tx *bbolt.Tx, run, form string, sums Sums) error {
	if len(sums) == 0 {
		return nil
	}
	hash := KeyOf(run)
	all := tx.Bucket(sumsBucket)
	ofRun := all.Bucket(hash[:])
	if ofRun == nil {
		var err error
		if ofRun, err = newRun(tx, hash); err != nil {
			return err
		}
	}
	for name, n := range sums {
		key := []byte(form + "\x00" + name)
		if err := ofRun.Put(key, numeral(uint64(int64(number(ofRun.Get(key)))+n))); err != nil {
			return err
		}
	}
	return nil
}

// newRun begins the sums of a run and forgets those of the oldest one when there are too many.
func newRun(tx *bbolt.Tx, hash Key) (*bbolt.Bucket, error) {
	all, ages := tx.Bucket(sumsBucket), tx.Bucket(agesBucket)
	youngest, err := ages.NextSequence()
	if err != nil {
		return nil, err
	}
	if err := ages.Put(numeral(youngest), hash[:]); err != nil {
		return nil, err
	}
	if age, oldest := ages.Cursor().First(); binary.BigEndian.Uint64(age)+MostRuns <= youngest {
		if err := all.DeleteBucket(oldest); err != nil {
			return nil, err
		}
		if err := ages.Delete(age); err != nil {
			return nil, err
		}
	}
	return all.CreateBucket(hash[:])
}

// Count adds to the sums of a form.
func (b *Bolt) Count(_ context.Context, run, form string, sums Sums) error {
	return b.write(func(tx *bbolt.Tx) error { return count(tx, run, form, sums) })
}

// Sums returns the sums of a run.
func (b *Bolt) Sums(_ context.Context, run string) (map[string]Sums, error) {
	forms := map[string]Sums{}
	hash := KeyOf(run)
	err := b.read(func(tx *bbolt.Tx) error {
		ofRun := tx.Bucket(sumsBucket).Bucket(hash[:])
		if ofRun == nil {
			return nil
		}
		return ofRun.ForEach(func(key, value []byte) error {
			form, name, _ := strings.Cut(string(key), "\x00")
			if forms[form] == nil {
				forms[form] = Sums{}
			}
			if n := int64(number(value)); n != 0 {
				forms[form][name] = n
			}
			return nil
		})
	})
	return forms, err
}
