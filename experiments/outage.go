package experiments

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"tracelab/experiments/verdict"
	"tracelab/lab"
	"tracelab/lab/rundir"
	"tracelab/services"
	"tracelab/services/flows"
)

// Names of parts that events disturb.
const (
	kafkaPart      = "kafka" // the embedded broker
	paymentService = "payment"
)

// onDisk is a store in a file of the lab's own.
const onDisk = "on disk"

// storeOf is the file of a lab's store.
func (s *session) storeOf(out string) string {
	if s.stores != "" {
		return filepath.Join(s.stores, filepath.Base(out)+".store")
	}
	return out + ".store"
}

// outage is a time in which a part is away: from and to count from the first order's intended start.
type outage struct {
	part     string
	from, to time.Duration
}

// outageIn is the outage of one part in a run of so many orders per second: from a fifth of the run on, for two fifths, but no longer than most.
func outageIn(part string, orders int, rate float64, most time.Duration) outage {
	length := placing(orders, rate)
	from := (length / 5).Round(time.Millisecond)
	return outage{part, from, from + min(most, 2*from)}
}

// placing is how long it takes to place orders.
func placing(orders int, rate float64) time.Duration {
	return time.Duration(float64(orders) / rate * float64(time.Second))
}

// lasts is how long the part is away.
func (o outage) lasts() time.Duration { return o.to - o.from }

// events stop the part, as SIGTERM does, and start it again. How is the other way to end it: kill.
func (o outage) events(how string) []lab.Event {
	return []lab.Event{{At: o.from, Do: how, Part: o.part}, {At: o.to, Do: "start", Part: o.part}}
}

// began is the first order's intended start.
func (r *Ran) began() time.Time {
	var first time.Time
	for _, orders := range r.orders {
		for _, o := range orders {
			if o.Outcome != notPlaced && (first.IsZero() || o.Intended.Before(first)) {
				first = o.Intended
			}
		}
	}
	return first
}

// startedIn tells whether an order was to start in a time of the run.
func (r *Ran) startedIn(from, to time.Duration) func(rundir.Order) bool {
	began := r.began()
	return func(o rundir.Order) bool {
		at := o.Intended.Sub(began)
		return o.Outcome != notPlaced && at >= from && at < to
	}
}

// between are a form's orders that were to start in a time of the run.
func (r *Ran) between(form services.Form, from, to time.Duration) []rundir.Order {
	started := r.startedIn(from, to)
	return slices.DeleteFunc(slices.Clone(r.orders[form]), func(o rundir.Order) bool { return !started(o) })
}

// waitsUntil are the waits of a form's orders that were to start before a time of the run, in milliseconds.
func (r *Ran) waitsUntil(form services.Form, until time.Duration) []float64 {
	var waits []float64
	for _, o := range r.between(form, 0, until) {
		waits = append(waits, r.value(o, Wait, nil, nil))
	}
	return waits
}

// waitsOf are the waits of each run before a time of it, for the gate on the time before a fault.
func waitsOf(runs []*Ran, form services.Form, until time.Duration) [][]float64 {
	list := make([][]float64, len(runs))
	for i, ran := range runs {
		list[i] = ran.waitsUntil(form, until)
	}
	return list
}

// during are a form's orders that were to start while a part was away.
func (r *Ran) during(form services.Form, o outage) []rundir.Order {
	return r.between(form, o.from, o.to)
}

// numbersOf are the numbers of the orders that have a property.
func numbersOf(orders []rundir.Order, have func(rundir.Order) bool) []int {
	var numbers []int
	for _, o := range orders {
		if have(o) {
			numbers = append(numbers, o.Number)
		}
	}
	return numbers
}

// spared tells whether no fault hit an order.
func spared(o rundir.Order) bool { return len(o.Hit) == 0 }

// unanswered tells whether the client got an error, or nothing in time.
func unanswered(o rundir.Order) bool { return !o.Answered() }

// lost tells whether an order that the client was told of was not done.
func lost(o rundir.Order) bool { return o.Answered() && o.Outcome != "completed" }

// count is how many orders have a property.
func count(orders []rundir.Order, has func(rundir.Order) bool) int {
	n := 0
	for _, o := range orders {
		if has(o) {
			n++
		}
	}
	return n
}

// inFlight is the time before an outage in which orders that begin may still be under way when it comes.
const inFlight = 100 * time.Millisecond

// SteadyBefore has the gate on the time before an outage checked, on the waits of a form: they drift by no more than band milliseconds.
func (l *Lab) SteadyBefore(runs []*Ran, form services.Form, o outage, band float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.steady = &verdict.Steady{Runs: waitsOf(runs, form, o.from-inFlight), Band: band}
}

// mostLate is how late an event may be.
const mostLate = 100 * time.Millisecond

// Fair has the gates checked that every run with outages needs: each event came at its time, and the sums of the orders balance.
func (l *Lab) Fair(runs ...*Ran) {
	worst, which := time.Duration(0), ""
	var wrong []string
	for _, ran := range runs {
		for _, h := range ran.Result.Happened {
			planned, err := time.ParseDuration(strings.SplitN(h.Event, ":", 2)[0])
			if err != nil {
				continue
			}
			if late := time.Duration(h.AtMS*float64(time.Millisecond)) - planned; late >= worst {
				worst, which = late, h.Event
			}
		}
		for form, f := range ran.Result.Forms {
			if len(f.Orders.Imbalances()) > 0 {
				wrong = append(wrong, fmt.Sprintf("%s, seed %d: %+v", form, ran.Config.Seed, f.Orders))
			}
		}
	}
	if which != "" {
		g := verdict.Gate{Name: "events on time", Passed: worst <= mostLate, Measured: fmt.Sprintf("the latest (%s) came %v late, at most %v", which, worst.Round(time.Millisecond), mostLate)}
		if !g.Passed {
			g.Change = "lower the rate, or leave the machine to the experiment"
		}
		l.Gate(g)
	}
	g := verdict.Gate{Name: "sums balance", Passed: len(wrong) == 0, Measured: strconv.Itoa(len(wrong)) + " of the runs' forms do not"}
	if !g.Passed {
		g.Measured, g.Change = g.Measured+": "+wrong[0], "look at the run's own report: orders were lost without a trace"
	}
	l.Gate(g)
}

// among counts the orders of a run that have a property, for Shares.
func among(which func(*Ran) []rundir.Order, has func(rundir.Order) bool) func(*Ran) (hits, of int) {
	return func(r *Ran) (int, int) {
		orders := which(r)
		return count(orders, has), len(orders)
	}
}

// counted is a count that is complete.
func (f Figures) counted(arm, measure string) (verdict.Estimate, error) {
	hits, of, err := f.Share(arm, measure)
	return verdict.Exact(float64(hits), of, "orders"), err
}

// workersOf gives one service of a lab so many workers.
func workersOf(c *lab.Config, service string, workers int) {
	c.WorkersOf = map[string]int{service: workers}
}

// meanBusy is the mean of what a step of a form keeps a worker for, over the orders of a run.
func meanBusy(flow *flows.Flow, form services.Form, step services.Step, size Size, k Constants) (time.Duration, error) {
	costs, err := busyAt(flow, form, step, size.Seed, size.Orders, k)
	var sum time.Duration
	for _, cost := range costs {
		sum += cost
	}
	return sum / time.Duration(max(1, size.Orders)), err
}
