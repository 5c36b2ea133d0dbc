package lab

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"tracelab/internal/poll"
	"tracelab/services"
)

// orderState is what orders knows of an order. It is empty until it is read, and of an order that orders does not know.
type orderState struct {
	status    services.Status
	failed    *services.State // with the steps that are done; nil without a failure
	forgotten bool            // orders had it, and forgot it before it was read
}

// know notes what orders says of an order. It may be told of one order many times.
func (j *judge) know(s services.State) {
	j.mu.Lock()
	defer j.mu.Unlock()
	r := j.find(orderKey{s.Form, s.Number})
	if r == nil || r.status == s.Status && len(s.Failures) == 0 {
		return
	}
	r.orderState = orderState{status: s.Status}
	if len(s.Failures) > 0 {
		r.failed = &services.State{Steps: s.Steps, Failures: s.Failures}
	}
	if !r.complete {
		r.dirty = true
	}
}

// forget marks the orders of a form that orders has forgotten before the run has read what became of them. Their number
// follows from the sums; which they are is known of those that the client was told of, or that were read as pending.
func (j *judge) forget(form services.Form, recorded services.Accounts) {
	j.mu.Lock()
	defer j.mu.Unlock()
	unread, ended := recorded.Accepted, recorded.Completed+recorded.Failed
	for _, r := range j.records[form] {
		if r != nil && r.status != "" {
			unread--
			if r.status != services.Accepted {
				ended--
			}
		}
	}
	left := min(max(unread, ended), recorded.Forgotten)
	for _, may := range []func(*record) bool{
		func(r *record) bool { return r.status == "" && r.ID != "" },
		func(r *record) bool { return r.status == services.Accepted },
		func(r *record) bool { return r.status == "" && r.Status == 0 },
	} {
		for _, r := range j.records[form] {
			if left > 0 && r != nil && r.placed && !r.forgotten && may(r) {
				r.orderState = orderState{forgotten: true}
				left--
			}
		}
	}
}

const (
	// readInterval is how often states are read while orders are placed.
	readInterval = 500 * time.Millisecond
	// readPage is how many orders one question is about: answering takes the services about a millisecond.
	readPage = 100
	// mostAgain is how many pages with orders that were pending are asked for again in one round.
	mostAgain = 4
)

// stateReader reads what orders knows of the orders of a run while they are placed: orders remembers a limited number, and
// forgets the oldest final ones first.
type stateReader struct {
	client   *client
	run      string
	page     int // of orders, for one question
	know     func(services.State)
	instance string   // of orders, which the pages are of; "" before the first answer
	again    []string // paths of pages with orders that were pending
	last     string   // path of the page that may get more
}

func newStateReader(c *client, run string, know func(services.State)) *stateReader {
	s := &stateReader{client: c, run: run, page: readPage, know: know}
	s.begin()
	return s
}

// begin goes back to the first page.
func (s *stateReader) begin() {
	s.again, s.last = nil, fmt.Sprintf("/runs/%s/orders?limit=%d", s.run, s.page)
}

// follow reads round by round until stop is called. Who does not answer is asked again.
func (s *stateReader) follow(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for pause(ctx, readInterval) {
			if summary, err := s.client.summary(ctx, s.run); err == nil {
				s.now(summary.Orders)
				_ = s.round(ctx)
			}
		}
	}()
	return func() { cancel(); <-ended }
}

// now tells which instance of orders answers. A new one has pages of its own.
func (s *stateReader) now(orders services.OrdersInstance) {
	if s.instance != "" && s.instance != orders.Instance {
		s.begin()
	}
	s.instance = orders.Instance
}

// round reads the newest pages, and some of those with orders that were pending.
func (s *stateReader) round(ctx context.Context) error {
	for range min(mostAgain, len(s.again)) {
		path := s.again[0]
		if _, err := s.read(ctx, path); err != nil {
			return err
		}
		s.again = s.again[1:]
	}
	for {
		next, err := s.read(ctx, s.last)
		if err != nil || next == "" {
			return err
		}
		s.last = next
	}
}

// rest reads everything that a round may have left.
func (s *stateReader) rest(ctx context.Context) error {
	again := s.again
	s.again = nil
	for _, path := range again {
		if _, err := s.read(ctx, path); err != nil {
			return err
		}
	}
	return s.round(ctx)
}

// read reads one page. One with orders that may change is to be read again, unless it is the last, which is anyway.
func (s *stateReader) read(ctx context.Context, path string) (next string, err error) {
	states, next, err := s.client.page(ctx, path)
	if err != nil {
		return "", err
	}
	pending := false
	for _, state := range states {
		s.know(state)
		pending = pending || mayChange(state)
	}
	if pending && next != "" {
		s.again = append(s.again, path)
	}
	return next, nil
}

// mayChange tells whether an order is not final: it is pending, or its messages are among the dead letters and may come back.
func mayChange(s services.State) bool {
	return s.Status == services.Accepted || slices.ContainsFunc(s.Failures, func(f services.StepFailure) bool { return f.DeadLetter })
}

// errMoving is why sums and states are not of the same orders.
var errMoving = errors.New("they are still being accepted or ended")

// steady reads the sums of orders and then their states, again and again, until no order has changed meanwhile: one that orders
// accepts between the two, because its client has gone and it has not heard of that, would be in the states alone, and the
// accounts would not balance. When ctx ends first, what was read last is returned with the error.
func steady(ctx context.Context, sums func(context.Context) (services.Summary, error), states func(context.Context) error) (services.Summary, error) {
	var last services.Summary
	err := poll.Until(ctx, 10*time.Millisecond, func(ctx context.Context) error {
		before, err := sums(ctx)
		if err != nil {
			return err
		}
		last = before
		if err := states(ctx); err != nil {
			return err
		}
		after, err := sums(ctx)
		if err != nil {
			return err
		}
		last = after
		if before.Orders.Instance != after.Orders.Instance || !maps.EqualFunc(before.Forms, after.Forms, sameOrders) {
			return errMoving
		}
		return nil
	})
	return last, err
}

// sameOrders tells whether two sums are of the same orders in the same states.
func sameOrders(a, b services.Accounts) bool {
	return a.Accepted == b.Accepted && a.Completed == b.Completed && a.Failed == b.Failed && a.Pending == b.Pending && a.Forgotten == b.Forgotten
}
