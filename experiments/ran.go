package experiments

import (
	"fmt"
	"math"
	"strconv"
	"sync"
	"time"

	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/lab"
	"tracelab/lab/rundir"
	"tracelab/services"
)

// Names of the figures that Ran.Measure knows, beside those of package compare.
const (
	Wait       = "caller wait" // ms, by the client's clock
	Response   = "response"    // the same, from the intended start
	Completion = "completion"  // ms, from the traces
	Tail       = "tail"        // ms, completion less caller wait
	QueueWait  = "queue wait"  // ms, the mean of the order's messages
)

// Ran is a lab that has run, and what it showed order by order.
type Ran struct {
	Config lab.Config
	Result *lab.Result

	run    rundir.Run
	orders map[services.Form][]rundir.Order // by number
	usage  usage
	shared bool // by several claims

	mu       sync.Mutex
	journeys map[services.Form][]*journey.Journey // by number; nil where there is none
}

// open reads the orders of the run.
func (r *Ran) open() error {
	run, ok, err := rundir.Open(r.Result.Dir)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("%s is no run directory", r.Result.Dir)
	}
	r.run, r.orders, r.journeys = run, map[services.Form][]rundir.Order{}, map[services.Form][]*journey.Journey{}
	for _, form := range r.Config.Forms {
		r.orders[form] = make([]rundir.Order, r.Config.Orders)
		for i := range r.orders[form] {
			r.orders[form][i] = rundir.Order{Form: string(form), Number: i, Outcome: notPlaced}
		}
	}
	return run.Orders(func(o rundir.Order) {
		if list := r.orders[services.Form(o.Form)]; o.Number >= 0 && o.Number < len(list) {
			list[o.Number] = o
		}
	})
}

// notPlaced is the outcome of an order that a run that was ended early did not come to.
const notPlaced = "not placed"

// Orders are a form's orders as the client saw them, by number.
func (r *Ran) Orders(form services.Form) []rundir.Order { return r.orders[form] }

// Failed tells whether an order was not done, or its client was not told in time that it was taken: its waits count as infinite.
func Failed(o rundir.Order) bool { return !o.Answered() || o.Outcome != "completed" }

// Measure returns a figure of a form's orders, by number. Orders that failed are +Inf (their wait is known when only what came after the
// answer failed), those that no complete journey tells of are NaN.
func (r *Ran) Measure(form services.Form, measure string) ([]float64, error) {
	values := make([]float64, len(r.orders[form]))
	var of func(*journey.Journey) (float64, bool)
	switch measure {
	case Completion:
		of = measureNamed(compare.Completion)
	case Tail:
		of = measureNamed(compare.Tail)
	case QueueWait:
		of = measureNamed(compare.QueueWait)
	case Wait, Response:
	default:
		return nil, fmt.Errorf("no measure %q", measure)
	}
	var journeys []*journey.Journey
	if of != nil {
		var err error
		if journeys, err = r.Journeys(form); err != nil {
			return nil, err
		}
	}
	for i, o := range r.orders[form] {
		values[i] = r.value(o, measure, of, journeys)
	}
	return values, nil
}

// value is one order's figure.
func (r *Ran) value(o rundir.Order, measure string, of func(*journey.Journey) (float64, bool), journeys []*journey.Journey) float64 {
	switch {
	case o.Outcome == notPlaced:
		return math.NaN()
	case !o.Answered(), of != nil && Failed(o):
		return math.Inf(1)
	case measure == Wait:
		return float64(o.CallerWait) / 1e6
	case measure == Response:
		return float64(o.Response) / 1e6
	case journeys[o.Number] == nil || o.Incomplete != "":
		return math.NaN()
	}
	value, ok := of(journeys[o.Number])
	if !ok {
		return math.NaN()
	}
	return value
}

func measureNamed(name string) func(*journey.Journey) (float64, bool) {
	for _, m := range compare.Measures() {
		if m.Name == name {
			return m.Of
		}
	}
	return nil
}

// Journeys are a form's journeys by the number of their order; nil where there is none. The first call reads them.
func (r *Ran) Journeys(form services.Form) ([]*journey.Journey, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if list, ok := r.journeys[form]; ok {
		return list, nil
	}
	all, err := r.everyJourney(form)
	if err != nil {
		return nil, err
	}
	list := make([]*journey.Journey, len(all))
	for number, several := range all {
		for _, j := range several {
			if root, ok := j.Root(); ok && j.Set().Span(root).Service == clientService {
				list[number] = j
			}
		}
	}
	r.journeys[form] = list
	return list, nil
}

// clientService is the service that places orders: their journeys begin with its span.
const clientService = "client"

// everyJourney reads the journeys of a form by the number of their order: several where propagation was cut.
func (r *Ran) everyJourney(form services.Form) ([][]*journey.Journey, error) {
	group, _, err := r.run.Group(string(form))
	if err != nil {
		return nil, err
	}
	list := make([][]*journey.Journey, len(r.orders[form]))
	for _, j := range group.Journeys {
		attr, _ := j.Set().Span(j.Spans()[0]).Attr(rundir.NumberKey)
		if number, err := strconv.Atoi(attr.String()); err == nil && number >= 0 && number < len(list) {
			list[number] = append(list[number], j)
		}
	}
	return list, nil
}

// lags are the start lags of all orders.
func (r *Ran) lags() []time.Duration {
	var lags []time.Duration
	for _, orders := range r.orders {
		for _, o := range orders {
			if o.Outcome != notPlaced {
				lags = append(lags, time.Duration(o.StartLag))
			}
		}
	}
	return lags
}

// Each returns a figure of each journey of a form, by the number of its order: NaN where there is none.
func (r *Ran) Each(form services.Form, of func(*journey.Journey) (float64, bool)) ([]float64, error) {
	journeys, err := r.Journeys(form)
	if err != nil {
		return nil, err
	}
	values := make([]float64, len(journeys))
	for i, o := range r.orders[form] {
		values[i] = math.NaN()
		switch {
		case o.Outcome == notPlaced:
		case Failed(o):
			values[i] = math.Inf(1)
		case journeys[i] != nil && o.Incomplete == "":
			if v, ok := of(journeys[i]); ok {
				values[i] = v
			}
		}
	}
	return values, nil
}

// RealBroker tells whether the run's messages went over a broker that is not the embedded one.
func (r *Ran) RealBroker() bool { return len(r.Config.Kafka) > 0 || r.Config.Target != "" }

// CPUPerOrder is the CPU time that this process used for each order while they were placed, in milliseconds. Labs side by side share it.
func (r *Ran) CPUPerOrder() float64 {
	orders := 0
	for _, list := range r.orders {
		orders += len(list)
	}
	return milliseconds(r.usage.cpu) / float64(max(1, orders))
}
