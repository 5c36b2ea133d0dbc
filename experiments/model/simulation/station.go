package simulation

// Unbounded is a number of places that never refuses.
const Unbounded = -1

// Station is a number of workers and a queue in front of them, first come, first served.
type Station struct {
	Workers int
	Places  int // that can wait; Unbounded

	busy    int
	waiting int
	queue   []*Ticket // those that left are still in it
}

// Ticket is a visit to a station.
type Ticket struct {
	station *Station
	start   func()
	state   visit
}

type visit int

const (
	waits visit = iota
	served
	left
)

// Enter calls start as soon as a worker is free, perhaps at once; the worker is kept until the ticket's Leave. It returns nil
// when workers and places are taken.
func (s *Station) Enter(start func()) *Ticket {
	t := &Ticket{station: s, start: start}
	switch {
	case s.busy < s.Workers:
		s.serve(t)
	case s.Places == Unbounded || s.waiting < s.Places:
		s.waiting++
		s.queue = append(s.queue, t)
	default:
		return nil
	}
	return t
}

// Leave frees the worker, or the place. A second one changes nothing.
func (t *Ticket) Leave() {
	switch t.state {
	case served:
		t.station.busy--
		t.state = left
		t.station.next()
	case waits:
		t.station.waiting--
		t.state = left
	case left:
	}
}

func (s *Station) serve(t *Ticket) {
	s.busy++
	t.state = served
	t.start()
}

func (s *Station) next() {
	for len(s.queue) > 0 && s.busy < s.Workers {
		t := s.queue[0]
		s.queue[0] = nil
		s.queue = s.queue[1:]
		if t.state == waits {
			s.waiting--
			s.serve(t)
		}
	}
}
