package experiments

import (
	"math"
	"time"

	"tracelab/experiments/model/simulation"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// The peak of the claims that have one, in multiples of their rate.
const (
	peakFrom  = time.Second
	peakLasts = time.Second
	peakTimes = 5
	peakEnds  = peakFrom + peakLasts
	// peakWorkers at payment do about 105 orders/s: enough for the rate, half of what the peak brings.
	peakWorkers = 2
)

// Measures of a peak.
const (
	peakErrors  = "client errors of the peak"
	peakP99     = "completion p99 of what was done"
	peakDrain   = "last order of the peak done after its end"
	waitsBefore = "caller wait before the peak"
	peakAck     = "acknowledgement that payment waits for"
)

// peakSize is 1 s before the peak, the peak, and 1 s after it.
var peakSize = Size{Orders: 280, Rate: 40, Seeds: 5}

// peakOf is a lab whose orders have a peak.
func peakOf(c lab.Config) lab.Config {
	c.Surge = lab.Surge{At: peakFrom, Lasts: peakLasts, Times: peakTimes}
	return c
}

// peakFigures adds what a peak did in one arm.
func peakFigures(f *Figures, arm string, form services.Form, runs []*Ran) error {
	f.Shares(arm, peakErrors, runs, func(ran *Ran) (int, int) {
		return countOrders(ran.Orders(form), ran.startedIn(peakFrom, peakEnds), unanswered)
	})
	p99, err := eachRun(runs, func(ran *Ran) (float64, error) { return p99Done(ran, form) })
	if err != nil {
		return err
	}
	drain, err := eachRun(runs, func(ran *Ran) (float64, error) {
		values, err := ran.Measure(form, Completion)
		orders := ran.Orders(form)
		inPeak, last := ran.startedIn(peakFrom, peakEnds), math.Inf(-1)
		for i, o := range orders {
			if inPeak(o) && values[i] < math.Inf(1) {
				last = max(last, o.Intended.Sub(orders[0].Intended).Seconds()+values[i]/1000)
			}
		}
		return last - peakEnds.Seconds(), err
	})
	f.PerRun(arm, peakP99, "ms", p99)
	f.PerRun(arm, peakDrain, "s", drain)
	if err != nil || form != services.Kafka {
		return err
	}
	acks, err := eachRun(runs, func(ran *Ran) (float64, error) { return meanAck(ran, form, chargeStep.Service()) })
	f.PerRun(arm, peakAck, "ms", acks)
	return err
}

// meanAck is how long a service waits for the acknowledgement of a message, on average over the orders of a peak, in milliseconds. A broker that is
// short of a processor then takes longer than an idle one, and keeps the service's workers.
func meanAck(ran *Ran, form services.Form, service string) (float64, error) {
	journeys, err := ran.Journeys(form)
	if err != nil {
		return 0, err
	}
	var acks []float64
	inPeak := ran.startedIn(peakFrom, peakEnds)
	for i, o := range ran.Orders(form) {
		if journeys[i] == nil || !inPeak(o) {
			continue
		}
		for _, m := range journeys[i].Messages() {
			if journeys[i].Set().Span(m.Producer).Service == service {
				acks = append(acks, milliseconds(m.Publish))
			}
		}
	}
	return meanOf(acks, everyOrder), nil
}

// p99Done is the 99th percentile of the completion of the orders that were done.
func p99Done(ran *Ran, form services.Form) (float64, error) {
	values, err := ran.Measure(form, Completion)
	return quantileOf(values, 0.99, func(i int) bool { return !math.IsInf(values[i], 1) }), err
}

// drawPeak shows how orders pile up in a peak, and when they are done.
func drawPeak(f Figures) Plot {
	return Plot{
		Title: "How many orders are under way, in the first run?", X: overTime, Y: "orders", Lines: f.curves(underWay),
		Marks: []Mark{{At: peakFrom.Seconds(), Vertical: true, Label: "begin and end of the peak"}, {At: peakEnds.Seconds(), Vertical: true}},
	}
}

// waitsBeforePeak adds the median wait before the peak, and has the gate on it checked.
func waitsBeforePeak(l *Lab, f *Figures, arm string, form services.Form, runs []*Ran) {
	before := waitsOf(runs, form, peakFrom)
	l.Steady(before)
	medians := make(Values, len(before))
	for i := range before {
		medians[i] = middle(Values(before[i]).known())
	}
	f.PerRun(arm, waitsBefore, "ms", medians)
}

// peaked is what a simulated peak does to the orders of one run.
type peaked struct {
	refused    float64 // share of the peak's orders
	p99, drain float64 // ms, s
	failed     float64 // share of all orders
}

// simulatePeak simulates the queue in front of payment, and adds to each order what the rest of its way takes.
func simulatePeak(flow *flows.Flow, form services.Form, size Size, seed uint64, workers, places int, k Constants) (peaked, error) {
	after := float64(size.Orders)/size.Rate - peakFrom.Seconds() - peakTimes*peakLasts.Seconds()
	arrivals := simulation.Surge(size.Rate, peakTimes, peakFrom, peakLasts, time.Duration(max(0, after)*float64(time.Second)))
	orders, err := simulated(flow, form, arrivals, workers, places, seed, k, nil)
	if err != nil {
		return peaked{}, err
	}
	var completions []float64
	p := peaked{
		refused: simulation.Share(orders, peakFrom, peakEnds, simulation.Failed),
		failed:  simulation.Share(orders, 0, simulation.Forever, simulation.Failed),
	}
	for i, o := range orders {
		path, err := Path(flow, form, seed, i, k)
		if err != nil {
			return p, err
		}
		times, err := path.Predict(k.Constants)
		if err != nil {
			return p, err
		}
		completion := milliseconds(times.Completion) + o.Wait()
		completions = append(completions, completion)
		if o.Arrived >= peakFrom && o.Arrived < peakEnds && !simulation.Failed(o) {
			p.drain = max(p.drain, o.Arrived.Seconds()+completion/1000-peakEnds.Seconds())
		}
	}
	p.p99 = quantileOf(completions, 0.99, func(i int) bool { return !simulation.Failed(orders[i]) })
	return p, nil
}

// predictPeak predicts the figures of a peak in one arm, over all seeds.
func predictPeak(flow *flows.Flow, arm string, form services.Form, size Size, places int, k Constants) ([]Prediction, error) {
	mean, err := predictPeakOf(flow, form, size, peakWorkers, places, k)
	list := []Prediction{
		{Arm: arm, Measure: peakErrors, Value: mean.refused}, {Arm: arm, Measure: peakP99, Value: mean.p99}, {Arm: arm, Measure: peakDrain, Value: mean.drain},
	}
	if form == services.Kafka {
		list = append(list, Prediction{Arm: arm, Measure: peakAck, Value: milliseconds(k.Ack)})
	}
	return list, err
}

// predictPeakOf is what peaks do on average, over all seeds.
func predictPeakOf(flow *flows.Flow, form services.Form, size Size, workers, places int, k Constants) (peaked, error) {
	var sum peaked
	n := float64(size.Seeds)
	for i := range size.Seeds {
		p, err := simulatePeak(flow, form, size, size.Seed+uint64(i), workers, places, k)
		if err != nil {
			return sum, err
		}
		sum.refused, sum.p99, sum.drain, sum.failed = sum.refused+p.refused/n, sum.p99+p.p99/n, sum.drain+p.drain/n, sum.failed+p.failed/n
	}
	return sum, nil
}

// predictBeforePeak predicts the median wait of the orders that come before the peak.
func predictBeforePeak(flow *flows.Flow, arm string, form services.Form, size Size, k Constants) (Prediction, error) {
	size.Orders = int(size.Rate * peakFrom.Seconds())
	wait, err := overSeeds(size, func(seed uint64) (float64, error) {
		size.Seed = seed
		wait, _, err := predictTimes(flow, form, size, k)
		return wait, err
	})
	return Prediction{Arm: arm, Measure: waitsBefore, Value: wait, Gate: true}, err
}
