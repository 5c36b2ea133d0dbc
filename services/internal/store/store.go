// Package store keeps what services remember of their work: the state of units, which steps have had their effect, and the messages that wait
// for a broker. It has three kinds behind one interface: in memory, in a file, and in a PostgreSQL that several processes share.
package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"
)

// Store is all that a service remembers. Its methods may be called by several goroutines.
type Store interface {
	Effects
	Units
	Outbox
	// About says what kind of store it is.
	About() About
	// Close gives up what waits and closes the store.
	Close() error
}

// About says what a store is.
type About struct {
	ID      string // of what it holds: the same for all processes that open it
	Name    string // in words, without secrets: memory, file PATH, PostgreSQL 15.13 at HOST:PORT/DATABASE
	Durable bool   // what it holds outlives the process
	Shared  bool   // several processes may have it open at the same time
	Holder  uint64 // this process, among all that have ever opened the store
}

// Effects keep notes of which handling of a step had its effect for a unit (an order), to tell a repeat from a first handling.
type Effects interface {
	// Find returns the handling that had the effect; 0 when none is noted.
	Find(ctx context.Context, unit, step string) (handling uint64, err error)
	// Put notes the handling that had the effect and returns the handling whose note stands: the first one's, which may be another's. When it
	// returns, the note is as durable as the store.
	Put(ctx context.Context, unit, step string, handling uint64) (stands uint64, err error)
}

// Units keep units and their sums. A sum and the change of a unit that it counts are written together, or neither is.
type Units interface {
	// Room returns ErrFull when Create would.
	Room(ctx context.Context) error
	// Reserve reserves a key for a unit. When another one has it, taken is false and the reservation is the other's.
	Reserve(ctx context.Context, r Reservation) (held Reservation, taken bool, err error)
	// Release frees a key that is reserved for the unit. Others it leaves alone.
	Release(ctx context.Context, key Key, unit string) error
	// Answer keeps what was answered to a key that is reserved for the unit.
	Answer(ctx context.Context, key Key, unit string, answer []byte) error
	// Create adds a unit, counts it, and puts the messages that it leads to into the outbox: all in one transaction. It gives the unit its place.
	// It returns ErrFull when the store holds as many units as it can, ErrOutboxFull when the messages have no room, and ErrNotReserved when the unit's key is not reserved for it.
	Create(ctx context.Context, u *Unit, sums Sums, messages ...Message) error
	// Update changes a unit and counts that, in one transaction. change gets a unit that it may modify, and says what to count and whether it has
	// modified anything. It may be called several times; the last call is the one that counts. Update returns ErrUnknown when there is no such unit.
	Update(ctx context.Context, id string, change func(*Unit) (sums Sums, modified bool)) error
	// Get returns a copy of a unit, or ErrUnknown.
	Get(ctx context.Context, id string) (*Unit, error)
	// Page lists copies of up to limit of a run's units by age, behind a place. next is the place to go on behind, 0 when there are no more.
	Page(ctx context.Context, run string, after uint64, limit int) (units []*Unit, next uint64, err error)
	// Sums returns the sums of a run by form.
	Sums(ctx context.Context, run string) (map[string]Sums, error)
	// Count adds to the sums of a form in a run.
	Count(ctx context.Context, run, form string, sums Sums) error
	// Pending counts the units since a time that are not final.
	Pending(ctx context.Context, since time.Time) (int, error)
	// Disown says that nobody goes on with the units that this process held until now: a part of it was killed.
	Disown(ctx context.Context) error
	// Lost counts, by form, the units of a run that are not final and were held by a process that is gone, or were disowned.
	Lost(ctx context.Context, run string) (map[string]int, error)
}

// Outbox holds messages until a broker has them.
type Outbox interface {
	// Enqueue puts messages into the outbox.
	Enqueue(ctx context.Context, messages ...Message) error
	// Waiting returns up to limit of this process's messages, the oldest first.
	Waiting(ctx context.Context, limit int) ([]Message, error)
	// Remove removes messages that the broker has.
	Remove(ctx context.Context, ids ...uint64) error
	// Adopt takes over the messages of processes that are gone, and returns how many.
	Adopt(ctx context.Context) (int, error)
	// Backlog counts all messages in the outbox.
	Backlog(ctx context.Context) (int, error)
}

// The errors that callers tell apart.
var (
	ErrFull        = errors.New("the store is full")
	ErrOutboxFull  = errors.New("the outbox is full")
	ErrUnknown     = errors.New("no such unit in the store")
	ErrNotReserved = errors.New("the key is not reserved for this unit")
)

// Unit is what is kept of one unit of a flow.
type Unit struct {
	ID     string    `json:"id"`
	Place  uint64    `json:"-"` // among all units of the store, by age
	Run    string    `json:"run,omitempty"`
	Form   string    `json:"form"`
	Number int       `json:"number"`
	Key    Key       `json:"key"` // that was reserved for it; the zero Key: none
	Status string    `json:"status"`
	Final  bool      `json:"final,omitempty"`  // nothing more is done for it
	Holder uint64    `json:"holder,omitempty"` // the process in whose memory it goes on; 0: messages carry it on
	Since  time.Time `json:"since"`
	// Generation is how often the unit began anew after it had failed and was undone.
	Generation uint32            `json:"generation,omitempty"`
	Body       map[string]string `json:"body,omitempty"`
	Steps      []string          `json:"steps,omitempty"` // done
	Failures   []Failure         `json:"failures,omitempty"`
	Arrived    []Arrival         `json:"arrived,omitempty"`
	Handlings  []Handling        `json:"handlings,omitempty"`
}

// gone is the holder of units that were disowned: no process has this number.
const gone = 1<<31 - 1

// Failure is a step that failed, and why.
type Failure struct {
	Step, Reason, Detail string
	Attempts             int  `json:",omitempty"` // that failed; 0: one
	DeadLetter           bool `json:",omitempty"` // the message that led to the step is with the dead letters
}

// Arrival is a branch of a join that has come.
type Arrival struct{ Join, Branch string }

// Handling is one handling of a step that the keeper of the units was told of.
type Handling struct {
	ID   uint64
	Step string // the name of its effect; "" when it had none
}

// Sums count units and effects by name. A change of them may be negative.
type Sums map[string]int64

// Names of the sums that stores know. The others are their users'.
const (
	SumForgotten = "forgotten" // units that were removed to make room
)

// Key stands for a run and an Idempotency-Key.
type Key [32]byte

// KeyOf makes a key of words.
func KeyOf(words ...string) Key {
	h := sha256.New()
	for _, word := range words {
		// Writing to a hash never fails.
		_, _ = h.Write([]byte(word))
		_, _ = h.Write([]byte{0})
	}
	return Key(h.Sum(nil))
}

// MarshalText writes the key in base64; nothing for the zero Key.
func (k Key) MarshalText() ([]byte, error) {
	if k == (Key{}) {
		return nil, nil
	}
	return []byte(base64url(k[:])), nil
}

// UnmarshalText reads what MarshalText writes.
func (k *Key) UnmarshalText(text []byte) error { return unbase64url(k[:], text) }

// Reservation is a key that was used for a unit.
type Reservation struct {
	Key     Key       `json:"-"`
	Unit    string    `json:"unit"`
	Request Key       `json:"request"` // stands for what was placed
	Since   time.Time `json:"since"`
	Answer  []byte    `json:"answer,omitempty"` // nil: none yet
}

// Message is one that waits for the broker.
type Message struct {
	ID      uint64            `json:"-"`   // given by the store, by age
	Key     string            `json:"key"` // the unit's id: messages of a key go out in their order
	Carrier string            `json:"carrier"`
	Topic   string            `json:"topic"`
	Value   []byte            `json:"value"`
	Headers map[string]string `json:"headers,omitempty"` // the creation context
	Since   time.Time         `json:"since"`
}

// Limits say how much a store keeps.
type Limits struct {
	Units    int // units; beyond it the oldest final ones are forgotten
	Effects  int // notes of one generation, of which there are two
	Messages int // in the outbox; 0: MostMessages
}

// MostMessages is how many messages an outbox takes: beyond it no unit is accepted.
const MostMessages = 100_000

// PendingFor is how long a unit that is not final is kept when there is no room: longer than any fault or wait.
const PendingFor = 10 * time.Minute

// MostRuns is how many runs have sums; beyond it the oldest one's are forgotten.
const MostRuns = 200

func (l Limits) atLeastOne() Limits {
	l.Units, l.Effects = max(1, l.Units), max(1, l.Effects)
	if l.Messages == 0 {
		l.Messages = MostMessages
	}
	return l
}
