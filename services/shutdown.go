package services

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"tracelab/internal/poll"
	"tracelab/internal/vocabulary"
)

// Shutdown stops taking orders, waits until the pending ones have ended, and finishes and commits the messages in work. The context limits all of it,
// and the error names what was cut off, whose spans end later: the span processors are their maker's to end. Each stage may take half of the time that
// is left: a call that hangs must not cost the other services their commits.
func (s *System) Shutdown(ctx context.Context) error {
	s.stopRestarts()
	for _, name := range s.config.instances() {
		defer s.lock(name)()
	}
	nodes := s.running()
	for _, n := range nodes {
		n.life.Resume()
	}
	return errors.Join(shutdown(ctx, nodes), stage(ctx, s.awaitGraves), s.serving.Wait())
}

// shutdown stops running services.
func shutdown(ctx context.Context, nodes []*node) error {
	for _, n := range nodes {
		n.draining.Store(true)
	}
	takesOrders := func(n *node) bool { return n.name == Gateway || n.keeper != nil }
	var errs []error
	// In the order of the flow: an order in work may still need the services that come later.
	for _, n := range nodes {
		if takesOrders(n) {
			errs = append(errs, stage(ctx, n.stopServing))
		}
	}
	for _, n := range nodes {
		if n.keeper != nil {
			_ = stage(ctx, n.keeper.settle) // the accounts have the orders that are still pending
			errs = append(errs, stage(ctx, n.keeper.stopMailbox))
			if n.keeper.outbox != nil {
				errs = append(errs, stage(ctx, n.keeper.outbox.drain))
			}
		}
	}
	errs = append(errs,
		stage(ctx, func(ctx context.Context) error {
			return each(nodes, func(n *node) error {
				if takesOrders(n) {
					return nil
				}
				return n.stopServing(ctx)
			})
		}),
		stage(ctx, func(ctx context.Context) error { return each(nodes, func(n *node) error { return n.drain(ctx) }) }),
		each(nodes, func(n *node) error { return n.close(ctx) }))
	return errors.Join(errs...)
}

// stage runs one part of a shutdown, within half of the time that is left.
func stage(ctx context.Context, part func(context.Context) error) error {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(deadline)/2)
		defer cancel()
	}
	return part(ctx)
}

// each calls a function for all services concurrently and joins the errors.
func each(nodes []*node, do func(*node) error) error {
	errs := make([]error, len(nodes))
	var wg sync.WaitGroup
	for i, n := range nodes {
		wg.Go(func() { errs[i] = do(n) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// settle waits until no order is pending.
func (k *keeper) settle(ctx context.Context) error {
	return poll.Until(ctx, 10*time.Millisecond, func(ctx context.Context) error {
		n, err := k.ledger.pending(ctx)
		if err == nil && n > 0 {
			return fmt.Errorf("%d %s are pending", n, vocabulary.Plural(k.flow.Unit))
		}
		return err
	})
}

// stopMailbox stops the mailbox and drops the orders in it.
func (k *keeper) stopMailbox(ctx context.Context) error { return wrap(k.name, k.mailbox.stop(ctx)) }

// abortTimeout is how long a failed start waits for a broker that does not answer.
const abortTimeout = time.Second

// abort releases what a failed Start has acquired.
func (s *System) abort(bound map[string]listeners) error {
	ctx, cancel := context.WithTimeout(context.Background(), abortTimeout)
	defer cancel()
	errs := []error{each(s.running(), func(n *node) error { return n.close(ctx) })}
	for _, l := range bound {
		errs = append(errs, l.http.Close(), l.grpc.Close())
	}
	return errors.Join(errs...)
}
