package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
)

// Room tells whether a unit can be added.
func (b *Bolt) Room(context.Context) error {
	return b.read(func(tx *bbolt.Tx) error {
		_, err := b.excess(tx)
		return err
	})
}

// excess returns the unit that has to go before another one can be added: the oldest final one, or the oldest that has been pending for long.
// It is nil when there is room.
func (b *Bolt) excess(tx *bbolt.Tx) (*Unit, error) {
	if number(tx.Bucket(metaBucket).Get(countKey)) < uint64(b.limits.Units) {
		return nil, nil
	}
	place, _ := tx.Bucket(finalBucket).Cursor().First()
	final := place != nil
	if !final {
		place, _ = tx.Bucket(openBucket).Cursor().First()
	}
	u, err := unitAt(tx, tx.Bucket(placesBucket).Get(place))
	if err == nil && !final && time.Since(u.Since) < PendingFor {
		return nil, ErrFull
	}
	return u, err
}

// unitAt reads a unit.
func unitAt(tx *bbolt.Tx, id []byte) (*Unit, error) {
	stored := struct {
		*Unit
		Place uint64 `json:"place"`
	}{Unit: &Unit{}}
	value := tx.Bucket(unitsBucket).Get(id)
	if value == nil {
		return nil, ErrUnknown
	}
	if err := json.Unmarshal(value, &stored); err != nil {
		return nil, fmt.Errorf("unit %s: %w", id, err)
	}
	stored.Unit.Place = stored.Place
	return stored.Unit, nil
}

// putUnit writes a unit.
func putUnit(tx *bbolt.Tx, u *Unit) error {
	value, err := json.Marshal(struct {
		*Unit
		Place uint64 `json:"place"`
	}{u, u.Place})
	if err != nil {
		return err
	}
	return tx.Bucket(unitsBucket).Put([]byte(u.ID), value)
}

// countUnits changes the number of units.
func countUnits(tx *bbolt.Tx, by int) error {
	meta := tx.Bucket(metaBucket)
	return meta.Put(countKey, numeral(uint64(int(number(meta.Get(countKey)))+by)))
}

// runKey is where a unit is listed among those of its run.
func runKey(run string, place uint64) []byte {
	hash := KeyOf(run)
	return append(hash[:16:16], numeral(place)...)
}

// Create adds a unit with its messages.
func (b *Bolt) Create(_ context.Context, u *Unit, sums Sums, messages ...Message) error {
	if len(messages) > 0 && b.boxed.Load()+int64(len(messages)) > int64(b.limits.Messages) {
		return ErrOutboxFull
	}
	var added Unit
	err := b.write(func(tx *bbolt.Tx) error {
		added = *u
		if u.Key != (Key{}) {
			if r, err := reservation(tx, u.Key); err != nil || r == nil || r.Unit != u.ID {
				return errors.Join(err, ErrNotReserved)
			}
		}
		old, err := b.excess(tx)
		if err != nil {
			return err
		}
		if old != nil {
			if err := forget(tx, old); err != nil {
				return err
			}
		}
		if added.Place, err = tx.Bucket(placesBucket).NextSequence(); err != nil {
			return err
		}
		place, state := numeral(added.Place), openBucket
		if added.Final {
			state = finalBucket
		}
		return errors.Join(putUnit(tx, &added), tx.Bucket(placesBucket).Put(place, []byte(u.ID)), tx.Bucket(state).Put(place, nil),
			tx.Bucket(runsBucket).Put(runKey(u.Run, added.Place), []byte(u.ID)), countUnits(tx, 1), count(tx, u.Run, u.Form, sums), enqueue(tx, messages))
	})
	if err != nil {
		return err
	}
	b.boxed.Add(int64(len(messages)))
	u.Place = added.Place
	return nil
}

// forget removes a unit and frees its key.
func forget(tx *bbolt.Tx, u *Unit) error {
	place := numeral(u.Place)
	errs := []error{tx.Bucket(unitsBucket).Delete([]byte(u.ID)), tx.Bucket(placesBucket).Delete(place), tx.Bucket(finalBucket).Delete(place),
		tx.Bucket(openBucket).Delete(place), tx.Bucket(runsBucket).Delete(runKey(u.Run, u.Place)), countUnits(tx, -1), count(tx, u.Run, u.Form, Sums{SumForgotten: 1})}
	if u.Key != (Key{}) {
		errs = append(errs, tx.Bucket(keysBucket).Delete(u.Key[:]))
	}
	return errors.Join(errs...)
}

// Update changes a unit.
func (b *Bolt) Update(_ context.Context, id string, change func(*Unit) (Sums, bool)) error {
	return b.write(func(tx *bbolt.Tx) error {
		u, err := unitAt(tx, []byte(id))
		if err != nil {
			return err
		}
		final := u.Final
		sums, modified := change(u)
		errs := []error{count(tx, u.Run, u.Form, sums)}
		if modified {
			errs = append(errs, putUnit(tx, u))
		}
		if u.Final != final {
			from, to := openBucket, finalBucket
			if final { // it goes on, as a message of it came back from the dead letters
				from, to = to, from
			}
			place := numeral(u.Place)
			errs = append(errs, tx.Bucket(from).Delete(place), tx.Bucket(to).Put(place, nil))
		}
		return errors.Join(errs...)
	})
}

// Get returns a unit.
func (b *Bolt) Get(_ context.Context, id string) (u *Unit, err error) {
	err = b.read(func(tx *bbolt.Tx) error {
		u, err = unitAt(tx, []byte(id))
		return err
	})
	return u, err
}

// Page lists a run's units.
func (b *Bolt) Page(_ context.Context, run string, after uint64, limit int) (units []*Unit, next uint64, err error) {
	err = b.read(func(tx *bbolt.Tx) error {
		first := runKey(run, after+1)
		cursor := tx.Bucket(runsBucket).Cursor()
		for key, id := cursor.Seek(first); key != nil && bytes.HasPrefix(key, first[:16]); key, id = cursor.Next() {
			if len(units) == limit {
				next = units[limit-1].Place
				return nil
			}
			u, err := unitAt(tx, id)
			if err != nil {
				return err
			}
			units = append(units, u)
		}
		return nil
	})
	return units, next, err
}

// Pending counts the units since a time that are not final.
func (b *Bolt) Pending(_ context.Context, since time.Time) (n int, err error) {
	err = b.pending(func(u *Unit) bool {
		if u.Since.Before(since.Round(0)) {
			return false // nor is any that is older
		}
		n++
		return true
	})
	return n, err
}

// Disown says that nobody goes on with the units that this process held.
func (b *Bolt) Disown(context.Context) error {
	var held []*Unit
	err := b.pending(func(u *Unit) bool {
		if u.Holder == b.holder {
			held = append(held, u)
		}
		return true
	})
	if err != nil || len(held) == 0 {
		return err
	}
	return b.write(func(tx *bbolt.Tx) error {
		for _, u := range held { // whoever held them was killed: nobody else changes them
			u.Holder = gone
			if err := putUnit(tx, u); err != nil {
				return err
			}
		}
		return nil
	})
}

// Lost counts the units of a run that are held by an earlier process, or were disowned.
func (b *Bolt) Lost(_ context.Context, run string) (map[string]int, error) {
	lost := map[string]int{}
	err := b.pending(func(u *Unit) bool {
		if u.Run == run && u.Holder != 0 && u.Holder != b.holder {
			lost[u.Form]++
		}
		return true
	})
	return lost, err
}

// pending calls f with the units that are not final, the youngest first, until it returns false.
func (b *Bolt) pending(f func(*Unit) bool) error {
	return b.read(func(tx *bbolt.Tx) error {
		cursor := tx.Bucket(openBucket).Cursor()
		for place, _ := cursor.Last(); place != nil; place, _ = cursor.Prev() {
			u, err := unitAt(tx, tx.Bucket(placesBucket).Get(place))
			if err != nil {
				return err
			}
			if !f(u) {
				return nil
			}
		}
		return nil
	})
}
