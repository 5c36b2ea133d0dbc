package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// check is one thing to look at.
type check struct {
	name   string
	needs  []string      // the checks before it that it builds on: when one of them has failed, there is nothing to learn here
	absent string        // why it is left out, or ""
	within time.Duration // at the most
	look   func(context.Context) (seen string, err error)
}

// broken is a hop that does not pass things on.
type broken struct {
	seen, fix string
	certain   bool // to look again would show nothing else
}

// Error is what was seen.
func (b *broken) Error() string { return b.seen }

// brokenHop makes a *broken.
func brokenHop(fix, format string, args ...any) error {
	return &broken{seen: fmt.Sprintf(format, args...), fix: fix}
}

// certainly marks a broken hop as one that need not be looked at again.
func certainly(err error) error {
	if hop, ok := errors.AsType[*broken](err); ok {
		hop.certain = true
	}
	return err
}

// Examine walks the chain from Kafka and the gateway to the screens, and tells of every check in its order. The error is
// for what can never work.
func Examine(ctx context.Context, c Config) (Report, error) {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	e, err := newExamination(ctx, c)
	if err != nil {
		return Report{}, err
	}
	defer e.close()
	var done []Check
	causes := map[string]string{} // by failed or skipped check: what failed first on the way to it
	for _, check := range e.chain() {
		check.within = min(check.within, c.Timeout/4) // so that one that hangs leaves time for the others
		result := check.run(ctx, causes)
		done = append(done, result)
		if c.Each != nil {
			c.Each(result)
		}
	}
	return reportOf(done), nil
}

// run does the check, unless there is a reason not to.
func (c check) run(ctx context.Context, causes map[string]string) Check {
	result := Check{Name: c.name, Status: Skipped}
	if c.absent != "" {
		result.Seen = c.absent
		return result
	}
	if i := slices.IndexFunc(c.needs, func(need string) bool { return causes[need] != "" }); i >= 0 {
		causes[c.name] = causes[c.needs[i]]
		result.Seen = "because " + causes[c.name] + " failed"
		return result
	}
	if ctx.Err() != nil {
		result.Status, result.Seen, result.Fix = Failed, "not looked at: the time is over", "give it more with --timeout"
		causes[c.name] = c.name
		return result
	}
	began := time.Now()
	within, cancel := context.WithTimeout(ctx, c.within)
	defer cancel()
	seen, err := c.look(within)
	result.TookMS = milliseconds(began)
	if err == nil {
		result.Status, result.Seen = OK, seen
		return result
	}
	causes[c.name] = c.name
	result.Status, result.Seen = Failed, err.Error()
	if hop, ok := errors.AsType[*broken](err); ok {
		result.Fix = hop.fix
	}
	return result
}

// until asks again and again until there is nothing more to complain of, what is broken is certain, or the context ends;
// then it returns the last complaint that was not of the context's end.
func until(ctx context.Context, ask func(context.Context) error) error {
	var last error
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		if last == nil || ctx.Err() == nil {
			last = err
		}
		hop, ok := errors.AsType[*broken](err)
		if ok && hop.certain || !rest(ctx, pause) {
			return last
		}
	}
}
