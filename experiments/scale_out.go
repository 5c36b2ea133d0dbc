package experiments

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"tracelab/experiments/model"
	"tracelab/experiments/verdict"
	"tracelab/journey"
	"tracelab/lab"
	"tracelab/services"
)

// scalePartitions is how many partitions a topic has.
const scalePartitions = 8

// consumersOf are how many instances of the service handle its backlog.
func consumersOf() []int { return []int{1, 2, 4, 8} }

// Measures of a backlog that several consumers share.
const (
	drainRate  = "orders done, a second"
	hashAllows = "of what the keys' partitions allow"
	outOfOrder = "records done before an earlier one of their partition"
)

// scaleOut: whether more consumers handle a backlog sooner, and how much sooner.
func scaleOut() Claim {
	const delta = 0.15 // of the rate
	return Claim{
		Name:      "scale-out",
		Statement: "sharding at the broker makes it scale",
		Rule:      "with 1, 2, 4 and 8 consumers of one worker each on 8 partitions, the rate at which a backlog is done lies within 15 % of what its heaviest consumer allows, 8 do more than 3 times as much as 1, and no record overtakes another one of its partition",
		Delta:     Amount{delta, "of the rate"}, Budget: 25 * time.Second, Size: Size{Orders: 240, Rate: 400, Seeds: 5}, Kind: Repeated, Needs: Needs{},
		Signature: Signature{Words: "a process span that begins long after its record was sent: it waits behind the others of its partition", Seen: func(j *journey.Journey) error {
			for _, m := range j.Messages() {
				if m.Wait > 100*time.Millisecond {
					return nil
				}
			}
			return errors.New("no message waited for over 100 ms")
		}},
		Predict: func(size Size, k Constants) ([]Prediction, error) {
			var list []Prediction
			for _, n := range consumersOf() {
				rate, err := overSeeds(size, func(seed uint64) (float64, error) { return predictDrain(n, size, seed, k) })
				if err != nil {
					return nil, err
				}
				list = append(list, Prediction{Arm: armOf(services.Kafka, n), Measure: drainRate, Value: rate}, Prediction{Arm: armOf(services.Kafka, n), Measure: hashAllows, Value: 1})
			}
			return list, nil
		},
		Measure: measureScale,
		Decide: func(f Figures) (Decision, error) {
			var d Decision
			var errs []error
			overtaken := 0
			for _, n := range consumersOf() {
				e, err := f.mean(armOf(services.Kafka, n), hashAllows)
				hits, _, err2 := f.Share(armOf(services.Kafka, n), outOfOrder)
				errs, overtaken = append(errs, err, err2), overtaken+hits
				d.Parts = append(d.Parts, verdict.Part{Name: several(n, "consumer") + ", " + hashAllows, Estimate: e, Want: verdict.Within(1, delta)})
			}
			ratios, err := f.ratio(drainRate, armOf(services.Kafka, 1), armOf(services.Kafka, 8))
			d.Parts = append(d.Parts, verdict.Part{Name: "8 consumers by 1", Estimate: ratios, Want: verdict.MoreThan(3)},
				verdict.Part{Name: "records that overtook one", Estimate: verdict.Exact(float64(overtaken), 1, "counts"), Want: verdict.AtMost(0)})
			return d, errors.Join(append(errs, err)...)
		},
		Draw: func(f Figures) Plot {
			return Plot{Title: "How many orders a second do so many consumers do?", X: "consumers", Y: "orders/s", Lines: f.over(drainRate, floats(consumersOf()), armAt, services.Kafka)}
		},
		Alike: func(c *lab.Config) { c.Instances = nil },
		Sabotages: []Sabotage{
			{Name: "there is one partition", Change: func(c *lab.Config) { c.Partitions = 1 }, Want: verdict.DoesNotHold},
		},
	}
}

func measureScale(ctx context.Context, l *Lab) (Figures, error) {
	flow, err := kneeFlow(services.Kafka, 1)
	if err != nil {
		return nil, err
	}
	var arms []Arm
	for _, n := range consumersOf() {
		config := l.Config(flow, services.Kafka)
		config.Partitions, config.Instances, config.Deadline = scalePartitions, map[string]int{kneeStep.Service(): n}, 60*time.Second
		arms = append(arms, Arm{Name: armOf(services.Kafka, n), Config: config})
	}
	runs, err := l.Repeat(ctx, atATime, arms...)
	if err != nil {
		return nil, err
	}
	var f Figures
	for _, arm := range arms {
		var rates, allowed Values
		overtaken, records := 0, 0
		for _, ran := range runs[arm.Name] {
			d, err := drainOf(ran)
			if err != nil {
				return nil, err
			}
			rates, allowed = append(rates, d.rate()), append(allowed, d.ofAllowed())
			overtaken, records = overtaken+d.overtaken, records+d.records
		}
		f.PerRun(arm.Name, drainRate, "orders/s", rates)
		f.PerRun(arm.Name, hashAllows, "", allowed)
		f.Count(arm.Name, outOfOrder, overtaken, records)
	}
	return f, l.Show(runs[armOf(services.Kafka, 1)][0], services.Kafka)
}

// drainedBacklog is how a backlog was done.
type drainedBacklog struct {
	records   int
	overtaken int           // records that began before an earlier one of their partition
	took      time.Duration // from the first begin to the last end
	heaviest  time.Duration // that the consumer with the most to do was busy
}

func (d drainedBacklog) rate() float64 { return float64(d.records) / d.took.Seconds() }

// ofAllowed is the rate in multiples of that at which the heaviest consumer would be busy all the time.
func (d drainedBacklog) ofAllowed() float64 { return d.heaviest.Seconds() / d.took.Seconds() }

// handledRecord is one record as its process span tells of it.
type handledRecord struct {
	offset     int64
	start, end int64
}

// drainOf reads from the process spans who has done what, and when.
func drainOf(ran *Ran) (drainedBacklog, error) {
	journeys, err := ran.Journeys(services.Kafka)
	if err != nil {
		return drainedBacklog{}, err
	}
	var d drainedBacklog
	partitions := map[string][]handledRecord{}
	busy := map[string]time.Duration{}
	first, last := int64(math.MaxInt64), int64(0)
	for _, j := range journeys {
		if j == nil {
			continue
		}
		for _, m := range j.Messages() {
			span := j.Set().Span(m.Consumer)
			if span.Service != kneeStep.Service() {
				continue
			}
			partition, _ := span.Attr("messaging.destination.partition.id")
			offset, _ := span.Attr("messaging.kafka.offset")
			at, err := strconv.ParseInt(offset.String(), 10, 64)
			if err != nil {
				return d, fmt.Errorf("a process span has the offset %q", offset.String())
			}
			partitions[partition.String()] = append(partitions[partition.String()], handledRecord{at, span.Start, span.End})
			busy[span.Resource.InstanceID] += time.Duration(span.End - span.Start)
			first, last, d.records = min(first, span.Start), max(last, span.End), d.records+1
		}
	}
	if d.records == 0 {
		return d, fmt.Errorf("no process span of %s", kneeStep.Service())
	}
	for _, list := range partitions {
		slices.SortFunc(list, func(a, b handledRecord) int { return int(a.offset - b.offset) })
		for i := 1; i < len(list); i++ {
			if list[i].start < list[i-1].start {
				d.overtaken++
			}
		}
	}
	d.took = time.Duration(last - first)
	for _, spent := range busy {
		d.heaviest = max(d.heaviest, spent)
	}
	return d, nil
}

// predictDrain is the rate that keys spread evenly by hash allow: those of a run are drawn by the service, so others stand for them. Which partitions
// a consumer gets is the group's choice; each gets as many.
func predictDrain(consumers int, size Size, seed uint64, k Constants) (float64, error) {
	keys := make([]string, size.Orders)
	for i := range keys {
		keys[i] = fmt.Sprintf("order-%d-%d", seed, i)
	}
	loads, err := model.PartitionLoads(keys, scalePartitions)
	if err != nil {
		return 0, err
	}
	capacity, err := kneeCapacity(services.Kafka, 1, size, k)
	if err != nil {
		return 0, err
	}
	assigned := make([][]int, consumers)
	for p := range loads {
		assigned[p*consumers/scalePartitions] = append(assigned[p*consumers/scalePartitions], p)
	}
	makespan, err := model.Makespan(loads, assigned, time.Duration(float64(time.Second)/capacity))
	return float64(size.Orders) / makespan.Seconds(), err
}
