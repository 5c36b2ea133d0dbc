package model

import (
	"errors"
	"time"
)

// Batch is the cost of sending records in batches.
type Batch struct {
	Fixed     time.Duration // cost of each batch
	PerRecord time.Duration // cost of each record in it
	Size      int           // records in a batch
}

// mostRecords limits Batch.Size.
const mostRecords = 1_000_000

// Cost returns the mean cost of a record: Fixed/B + PerRecord.
//
// Source: amortization. Limits: full batches; a cost per record that does not depend on B.
func (b Batch) Cost() (time.Duration, error) {
	if err := b.check(); err != nil {
		return 0, err
	}
	return span(b.Fixed.Seconds()/float64(b.Size) + b.PerRecord.Seconds())
}

// Wait returns how long a record waits on average until its batch is full: (B−1)/2λ.
//
// Source: the mean over the positions in a batch, the last of which does not wait (Medhi, Stochastic Models in Queueing Theory, 2003,
// section 6.3). Limits: a batch is sent when it is full, not by a linger; any arrivals with the rate λ.
func (b Batch) Wait(perSecond float64) (time.Duration, error) {
	if err := errors.Join(b.check(), positive("records per second", perSecond)); err != nil {
		return 0, err
	}
	return span(float64(b.Size-1) / 2 / perSecond)
}

func (b Batch) check() error {
	return errors.Join(notNegative("the fixed cost in seconds", b.Fixed.Seconds()),
		notNegative("the cost of a record in seconds", b.PerRecord.Seconds()), between("the size of a batch", b.Size, 1, mostRecords))
}
