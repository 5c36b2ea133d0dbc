package simulation

import (
	"cmp"
	"slices"
)

// Unbounded is a number of places that never refuses.
const Unbounded = -1

// Station is a number of workers and a queue in front of them, first come, first served.
//
// With partitions it is a consumer of a broker: it fetches all that waits, hands it out partition by partition, each in its order, and fetches again
// at once when nothing of it is left in hand. Each fetch begins with the next partition. So nobody overtakes others of a partition, and many overtake those
// of others. Source: franz-go's kgo.Client.PollRecords. Limits: one broker, and less than a fetch may hold.
type Station struct {
	Workers    int
	Places     int // that can wait; Unbounded
	Partitions int // 0 or 1: first come, first served

	busy    int
	waiting int
	queue   []*Ticket // those that left are still in it
	fetched []*Ticket
	fetches int
}

// Ticket is a visit to a station.
type Ticket struct {
	station   *Station
	partition int
	start     func()
	state     visit
}

type visit int

const (
	waits visit = iota
	served
	left
)

// Enter calls start as soon as a worker is free, perhaps at once; the worker is kept until the ticket's Leave. It returns nil
// when workers and places are taken.
func (s *Station) Enter(start func()) *Ticket { return s.EnterAt(0, start) }

// EnterAt is Enter for one of the partitions, counted from 0.
func (s *Station) EnterAt(partition int, start func()) *Ticket {
	t := &Ticket{station: s, partition: partition, start: start}
	switch {
	case s.busy < s.Workers:
		s.serve(t)
	case s.Places == Unbounded || s.waiting < s.Places:
		s.waiting++
		s.queue = append(s.queue, t)
		s.fetch()
	default:
		return nil
	}
	return t
}

// Leave frees the worker, or the place. A second one changes nothing.
func (t *Ticket) Leave() {
	switch {
	case t.station == nil: // a zero Ticket is of no station
	case t.state == served:
		t.station.busy--
		t.state = left
		t.station.next()
	case t.state == waits:
		t.station.waiting--
		t.state = left
	}
}

func (s *Station) serve(t *Ticket) {
	s.busy++
	t.state = served
	t.start()
}

func (s *Station) next() {
	for s.busy < s.Workers {
		t := s.take()
		if t == nil {
			return
		}
		if t.state == waits {
			s.waiting--
			s.serve(t)
		}
	}
}

// take returns whose turn it is, or nil.
func (s *Station) take() *Ticket {
	if s.Partitions <= 1 {
		return first(&s.queue)
	}
	t := first(&s.fetched)
	s.fetch()
	return t
}

// fetch takes all that waits at the broker when nothing is left in hand.
func (s *Station) fetch() {
	if s.Partitions <= 1 || len(s.fetched) > 0 || len(s.queue) == 0 {
		return
	}
	s.fetched, s.queue = s.queue, nil
	turn := func(t *Ticket) int { return (t.partition + s.fetches) % s.Partitions }
	slices.SortStableFunc(s.fetched, func(a, b *Ticket) int { return cmp.Compare(turn(a), turn(b)) })
	s.fetches++
}

func first(queue *[]*Ticket) *Ticket {
	if len(*queue) == 0 {
		return nil
	}
	t := (*queue)[0]
	(*queue)[0] = nil
	*queue = (*queue)[1:]
	return t
}
