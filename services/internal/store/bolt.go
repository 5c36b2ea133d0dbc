package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// Bolt keeps everything in a bbolt file, which stays whole when the process is killed. One process at a time can have it open.
type Bolt struct {
	db     *bbolt.DB
	path   string
	id     string
	limits Limits
	holder uint64
	boxed  atomic.Int64 // messages in the outbox
}

const (
	lockTimeout = time.Second            // for another process to close the file
	batchDelay  = 500 * time.Microsecond // for which a write waits for others to share its transaction
	boltVersion = 1                      // of the buckets below
)

// The buckets of a file. Numbers in keys are big-endian, so that they are sorted.
var (
	metaBucket   = []byte("meta")        // version, id, number of holders and of units
	unitsBucket  = []byte("units")       // id → unit in JSON
	placesBucket = []byte("places")      // place → id; its sequence is the last place
	finalBucket  = []byte("final")       // places of final units
	openBucket   = []byte("open")        // places of the others
	runsBucket   = []byte("runs")        // hash of the run, place → id
	keysBucket   = []byte("keys")        // key → reservation in JSON
	sumsBucket   = []byte("sums")        // hash of the run → bucket: "form \x00 name" → number
	agesBucket   = []byte("runs by age") // number → hash of the run
	outboxBucket = []byte("outbox")      // number → message in JSON
	young, older = []byte("effects"), []byte("effects.older")
)

// The keys in metaBucket.
var versionKey, holderKey, countKey, idKey = []byte("version"), []byte("holder"), []byte("units"), []byte("id")

// OpenBolt opens or creates the file.
func OpenBolt(path string, limits Limits) (*Bolt, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockTimeout})
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, fmt.Errorf("store file %s: another process has it open: give each process a file of its own, or all of them a PostgreSQL: %w", path, err)
	}
	if err != nil {
		return nil, fmt.Errorf("store file %s: %w", path, withRemedy(err))
	}
	db.MaxBatchDelay = batchDelay
	b := &Bolt{db: db, path: path, limits: limits.atLeastOne()}
	if err := db.Update(b.prepare); err != nil {
		return nil, errors.Join(fmt.Errorf("store file %s: %w", path, withRemedy(err)), db.Close())
	}
	return b, nil
}

// prepare makes the buckets that are missing and takes the next holder's number.
func (b *Bolt) prepare(tx *bbolt.Tx) error {
	for _, name := range [][]byte{metaBucket, unitsBucket, placesBucket, finalBucket, openBucket, runsBucket, keysBucket, sumsBucket, agesBucket, outboxBucket, young, older} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	meta := tx.Bucket(metaBucket)
	if version := number(meta.Get(versionKey)); version > boltVersion {
		return fmt.Errorf("it has version %d, this program knows up to %d: use a newer tracelab, or another file", version, boltVersion)
	}
	b.holder = number(meta.Get(holderKey)) + 1
	b.boxed.Store(int64(tx.Bucket(outboxBucket).Stats().KeyN))
	if b.id = string(meta.Get(idKey)); b.id == "" {
		b.id = newID()
	}
	return errors.Join(meta.Put(idKey, []byte(b.id)), meta.Put(versionKey, numeral(boltVersion)), meta.Put(holderKey, numeral(b.holder)))
}

// About tells what the store is.
func (b *Bolt) About() About {
	return About{ID: b.id, Name: "file " + b.path, Durable: true, Holder: b.holder}
}

// Close closes the file.
func (b *Bolt) Close() error { return b.db.Close() }

// write changes the file in one transaction, which may be shared with other writes; change may run several times.
func (b *Bolt) write(change func(tx *bbolt.Tx) error) error { return b.named(b.db.Batch(change)) }

// read reads the file.
func (b *Bolt) read(look func(tx *bbolt.Tx) error) error { return b.named(b.db.View(look)) }

// named says which store an error is of. The errors that callers tell apart need no such words.
func (b *Bolt) named(err error) error {
	for _, known := range []error{nil, ErrFull, ErrOutboxFull, ErrUnknown, ErrNotReserved} {
		if errors.Is(err, known) {
			return err
		}
	}
	return fmt.Errorf("store file %s: %w", b.path, withRemedy(err))
}

// numeral writes a number as a key or a value, number reads it; what is missing is 0.
func numeral(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func number(b []byte) uint64 {
	if len(b) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}
