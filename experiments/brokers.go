package experiments

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"tracelab/experiments/verdict"
	"tracelab/journey"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// Measures of a broker in the same seat.
const (
	publishTime = "publish"
	memoryUsed  = "memory"
	elsewhere   = "not over it"
)

// brokers: what a broker costs in the place of another.
func brokers() Claim {
	const delta = 1 // ms
	return Claim{
		Name:      "brokers",
		Statement: "which broker? the choice changes figures, not what is done",
		Rule:      "on a real Kafka and a real RabbitMQ every order completes, each step with one effect; publish (until acknowledged), queue wait, wait, completion and the memory of the process are stated with their intervals, and no winner is named; a queue wait under 0 is a record that was delivered before its acknowledgement was back",
		Delta:     Amount{delta, "ms"}, Budget: 10 * time.Second, Size: Size{Orders: 150, Rate: 40, Seeds: 1}, Kind: Calm, Needs: Needs{RealBroker: true, RealRabbitMQ: true},
		Signature: Signature{Words: "the same steps in the same order, over messaging.system rabbitmq in the place of kafka", Seen: carriedBy("rabbitmq")},
		Measure: func(ctx context.Context, l *Lab) (Figures, error) {
			config := l.Config(flows.Order(), brokerForms()...)
			config.RabbitMQ = l.session.RabbitMQ
			ran, err := l.Run(ctx, config)
			if err != nil {
				return nil, err
			}
			l.Fair(ran)
			var f Figures
			for _, form := range brokerForms() {
				if err := f.brokerTimes(ran, form); err != nil {
					return nil, err
				}
			}
			f.memory("kafka", l.session.Kafka)
			f.memory("rabbitmq", l.session.RabbitMQ)
			for _, form := range brokerForms() {
				if err := f.brokerCounts(ran, form); err != nil {
					return nil, err
				}
			}
			return f, l.Show(ran, "rabbitmq")
		},
		Decide: func(f Figures) (Decision, error) {
			var d Decision
			for _, form := range brokerForms() {
				undone, err := f.counted(string(form), notDone)
				twice, err2 := f.counted(string(form), doneTwice)
				others, err3 := f.counted(string(form), elsewhere)
				if err := errors.Join(err, err2, err3); err != nil {
					return d, err
				}
				d.Parts = append(d.Parts, verdict.Part{Name: string(form) + ": orders not over it", Estimate: others, Want: verdict.AtMost(0)}, verdict.Part{Name: string(form) + ": orders not completed", Estimate: undone, Want: verdict.AtMost(0)},
					verdict.Part{Name: string(form) + ": steps done twice", Estimate: twice, Want: verdict.AtMost(0)})
			}
			for _, measure := range []string{publishTime, QueueWait, Wait, Completion} {
				e, err := f.Difference(measure, "kafka", "rabbitmq")
				if err != nil {
					return d, err
				}
				d.Beside = append(d.Beside, verdict.Part{Name: "rabbitmq - kafka: " + measure + ", ms", Estimate: e})
			}
			return d, nil
		},
		Draw: func(f Figures) Plot {
			p := Plot{Title: "What takes how long, over each broker?", X: "ms"}
			for _, measure := range []string{publishTime, QueueWait, Wait, Completion} {
				for _, form := range brokerForms() {
					p.Bars = append(p.Bars, f.bar(measure+", "+string(form), string(form), measure))
				}
			}
			return p
		},
		Alike: func(c *lab.Config) { carryAs(c, "rabbitmq", services.Kafka) },
		Sabotages: []Sabotage{{Name: "payment does not come back", Change: func(c *lab.Config) {
			c.Events, c.Deadline = []lab.Event{{At: inFlight, Do: "stop", Part: paymentService}}, shortestRecovery
		}, Want: verdict.DoesNotHold}},
	}
}

// brokerForms are the forms that differ in their broker alone.
func brokerForms() []services.Form { return []services.Form{services.Kafka, "rabbitmq"} }

// brokerTimes adds the times of one form.
func (f *Figures) brokerTimes(ran *Ran, form services.Form) error {
	arm := string(form)
	published, err := ran.Each(form, meanPublish)
	if err != nil {
		return err
	}
	f.PerOrder(arm, publishTime, "ms", published)
	for _, measure := range []string{QueueWait, Wait, Completion} {
		values, err := ran.Measure(form, measure)
		if err != nil {
			return err
		}
		f.PerOrder(arm, measure, "ms", values)
	}
	return nil
}

// brokerCounts adds what became of a form's orders.
func (f *Figures) brokerCounts(ran *Ran, form services.Form) error {
	arm := string(form)
	journeys, err := ran.Journeys(form)
	if err != nil {
		return err
	}
	undone, others, seen := 0, 0, 0
	for i, o := range ran.Orders(form) {
		if o.Outcome != "completed" {
			undone++
		}
		if journeys[i] == nil {
			continue
		}
		if seen++; carriedBy(arm)(journeys[i]) != nil {
			others++
		}
	}
	f.Count(arm, notDone, undone, len(ran.Orders(form)))
	f.Count(arm, elsewhere, others, max(1, seen))
	e := ran.Result.Forms[form].Effects
	f.Count(arm, doneTwice, e.Twice, max(1, e.Once+e.Twice))
	return nil
}

// memory adds how much memory the process at an address of this machine has, where Linux tells.
func (f *Figures) memory(arm string, addresses []string) {
	mebibytes := nan()
	if pid, err := processAt(addresses); err == nil {
		if used, err := residentMemory(pid); err == nil {
			mebibytes = float64(used) / (1 << 20)
		}
	}
	*f = append(*f, Figure{Arm: arm, Measure: memoryUsed, Unit: "MiB", Per: PerRun, Values: Values{mebibytes}})
}

// residentMemory is how many bytes of a process are in memory.
func residentMemory(pid string) (int64, error) {
	text, err := os.ReadFile(filepath.Join("/proc", pid, "status"))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "VmRSS:" {
			kibibytes, err := strconv.ParseInt(fields[1], 10, 64)
			return kibibytes << 10, err
		}
	}
	return 0, fmt.Errorf("/proc/%s/status has no VmRSS", pid)
}

// meanPublish is the mean of how long an order's messages took until the broker had acknowledged them.
func meanPublish(j *journey.Journey) (float64, bool) {
	var sum time.Duration
	seen := map[journey.Index]bool{}
	for _, m := range j.Messages() {
		if !seen[m.Producer] {
			seen[m.Producer] = true
			sum += m.Publish
		}
	}
	if len(seen) == 0 {
		return 0, false
	}
	return milliseconds(sum) / float64(len(seen)), true
}

// carriedBy tells whether a journey's messages went over a broker.
func carriedBy(system string) func(*journey.Journey) error {
	return func(j *journey.Journey) error {
		for _, i := range j.Spans() {
			if m, ok := j.Set().Span(i).Messaging(); ok && m.System == system {
				return nil
			}
		}
		return fmt.Errorf("no span of %s", system)
	}
}
