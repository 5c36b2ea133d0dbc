package experiments

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"tracelab/experiments/verdict"
	"tracelab/journey"
	"tracelab/journey/lint"
	"tracelab/journey/semconv"
	"tracelab/lab"
	"tracelab/lab/rundir"
	"tracelab/services"
	"tracelab/services/faults"
	"tracelab/services/flows"
)

// What goes wrong: 1 record in 100 is followed by one that nobody can decode, and notification fails at another 1 in 100, until it is mended.
const (
	reactionsOn = "reaction.added"
	inPlaceFor  = time.Second // for which a record keeps its worker where it is tried again in place
	mostLetters = 10_000
)

// poisonShare is the share of each kind: 1 in 100, but 3 of a small run. The first third of a run, with the first of each, is left out of the
// times: the topic for dead letters is made then.
func poisonShare(size Size) float64 { return max(0.01, 3/float64(size.Orders)) }

// share writes a fault that hits that share.
func share(fault string, of float64) string {
	return fault + "@" + strconv.FormatFloat(of, 'g', -1, 64)
}

// Arms of poison.
const (
	isCalm       = "calm"
	isBuried     = "letters"
	isTriedThere = "in place"
)

// Measures of poison.
const (
	p99Others    = "p99"
	againstCalm  = "p99, times calm"
	inLetters    = "dead letters"
	anonymous    = "nameless"
	notSentBack  = "not sent back"
	undoneInEnd  = "not completed"
	failedForNow = "failed once"
	unseenByLint = "missed by P09"
)

// poison: what a record that cannot be handled does to those behind it.
func poison() Claim {
	const most = 2 // times calm
	return Claim{
		Name:      "poison",
		Statement: "async gives better control over failures",
		Rule:      "1 record in 100 cannot be decoded and 1 always fails: tried again in place they make those behind them wait, p99 over δ times (one doubling of) that of a calm run; with dead letters it is at most that, every letter names its origin, attempts and error, and redrive sends all back, so that every reaction completes once the bug is mended",
		Delta:     Amount{most, "times"}, Budget: 26 * time.Second, Size: Size{Orders: 240, Rate: 45, Seeds: 5}, Kind: Repeated,
		Signature: Signature{Words: "a reaction that was answered well, failed attempts at notification.Notify linked one to the next, and a send to reaction.added.dlq under the last of them; the one after that is redrive's", Seen: diedQuietly},
		Predict: func(size Size, _ Constants) ([]Prediction, error) {
			return []Prediction{
				{Arm: isBuried, Measure: againstCalm, Value: 1}, {Arm: isBuried, Measure: failedForNow, Value: poisonShare(size)}, {Arm: isBuried, Measure: undoneInEnd},
			}, nil
		},
		Measure: measurePoison,
		Decide: func(f Figures) (Decision, error) {
			buried, err := f.doublings(isBuried)
			there, err2 := f.doublings(isTriedThere)
			letters, err3 := f.counted(isBuried, inLetters)
			nameless, err4 := f.counted(isBuried, anonymous)
			stuck, err5 := f.counted(isBuried, notSentBack)
			undone, err6 := f.counted(isBuried, undoneInEnd)
			unseen, err7 := f.counted(isTriedThere, unseenByLint)
			return Decision{Parts: []verdict.Part{
				{Name: "in place: p99, doublings", Estimate: there, Want: verdict.MoreThan(1)},
				{Name: "letters: p99, doublings", Estimate: buried, Want: verdict.AtMost(1)},
				{Name: "dead letters", Estimate: letters, Want: verdict.AtLeast(2)},
				{Name: "letters that do not say why", Estimate: nameless, Want: verdict.AtMost(0)},
				{Name: "letters not sent back", Estimate: stuck, Want: verdict.AtMost(0)},
				{Name: "reactions not completed", Estimate: undone, Want: verdict.AtMost(0)},
				{Name: "in place: failures lint misses", Estimate: unseen, Want: verdict.AtMost(0)},
			}}, errors.Join(err, err2, err3, err4, err5, err6, err7)
		},
		Draw: func(f Figures) Plot {
			return f.bars("How long do reactions take that nothing hit, at p99?", p99Others)
		},
		Alike: func(c *lab.Config) { c.Faults = nil },
		Sabotages: []Sabotage{
			{Name: "with dead letters, too, a record keeps its worker", Change: func(c *lab.Config) {
				if slices.ContainsFunc(c.Faults, func(f faults.Fault) bool { return f.Kind == "error" }) { // the arm with dead letters, not the calm one
					c.Faults = append(c.Faults, faults.Fault{Service: notificationService, Kind: "delay", Value: inPlaceFor.String(), Share: poisonShare(Size{Orders: c.Orders})})
				}
			}, Want: verdict.DoesNotHold},
			{Name: "nothing is tried again, so nothing is kept", Change: func(c *lab.Config) {
				c.Flow = WithRow(c.Flow, notifyStep, func(row *flows.Row) { row.Retry = flows.Retry{} })
			}},
		},
	}
}

// measurePoison runs the three arms. Notification has one worker, as a consumer that keeps the order of its partition has.
func measurePoison(ctx context.Context, l *Lab) (Figures, error) {
	flow, err := flows.Named("reaction")
	if err != nil {
		return nil, err
	}
	retried := WithRow(flow, notifyStep, func(row *flows.Row) {
		row.Retry = flows.Retry{Times: 3, Within: inPlaceFor, Backoff: 20 * time.Millisecond}
	})
	mended, of := placing(l.size.Orders, l.size.Rate).Round(time.Millisecond), poisonShare(l.size)
	back := &sentBack{of: map[uint64]lab.Redriven{}}
	arms := []Arm{{Name: isCalm}, {Name: isBuried, Each: back.sendBack(ctx)}, {Name: isTriedThere}}
	undecodable := share("reactions:poison", of)
	failing := share("notification:error=bad_address", of) + ",to=" + mended.String()
	hanging := share("notification:hang="+inPlaceFor.String(), of)
	for i, texts := range [][]string{nil, {undecodable, failing}, {undecodable, hanging}} {
		arms[i].Config = l.Config(flow, services.Kafka)
		if arms[i].Name == isBuried {
			arms[i].Config.Flow = retried
		}
		workersOf(&arms[i].Config, notificationService, 1)
		if arms[i].Config.Faults, err = parseFaults(flow, texts...); err != nil {
			return nil, err
		}
	}
	runs, err := l.Repeat(ctx, moreAtATime, arms...)
	if err != nil {
		return nil, err
	}
	var f Figures
	if err := errors.Join(back.err, f.others(l, runs)); err != nil {
		return nil, err
	}
	f.letters(runs[isBuried], back)
	first := runs[isBuried][0]
	numbers := numbersOf(first.Orders(services.Kafka), func(o rundir.Order) bool { return hitBy(o, "error") })
	if len(numbers) == 0 {
		numbers = []int{-1}
	}
	return f, l.Show(first, services.Kafka, numbers...)
}

// others adds the p99 of the reactions that no fault hit, of each run, and against the calm run of the same seed.
func (f *Figures) others(l *Lab, runs map[string][]*Ran) error {
	l.Fair(slices.Concat(runs[isCalm], runs[isBuried], runs[isTriedThere])...)
	tails := map[string][]float64{}
	for _, arm := range []string{isCalm, isBuried, isTriedThere} {
		for i, ran := range runs[arm] {
			values, err := ran.Measure(services.Kafka, Completion)
			if err != nil {
				return err
			}
			var kept []float64
			buried, there := runs[isBuried][i].Orders(services.Kafka), runs[isTriedThere][i].Orders(services.Kafka)
			for number := range values { // the same ones in every arm
				if len(buried[number].Hit)+len(there[number].Hit) == 0 && number >= len(values)/3 {
					kept = append(kept, values[number])
				}
			}
			e, err := verdict.Quantile(Values(kept).known(), 0.99)
			if err != nil {
				return err
			}
			tails[arm] = append(tails[arm], e.Value)
		}
		f.PerRun(arm, p99Others, "ms", tails[arm])
	}
	for _, arm := range []string{isBuried, isTriedThere} {
		var times []float64
		for i, tail := range tails[arm] {
			times = append(times, tail/tails[isCalm][i])
		}
		f.PerRun(arm, againstCalm, "", times)
	}
	unseen, failed := 0, 0
	for _, ran := range runs[isTriedThere] {
		journeys, err := ran.Journeys(services.Kafka)
		if err != nil {
			return err
		}
		for number, o := range ran.Orders(services.Kafka) {
			if !hitBy(o, "hang") || journeys[number] == nil {
				continue
			}
			if failed++; !silentlyFailed(journeys[number]) {
				unseen++
			}
		}
	}
	f.Count(isTriedThere, unseenByLint, unseen, max(1, failed))
	return nil
}

// letters adds what became of the records that failed.
func (f *Figures) letters(runs []*Ran, back *sentBack) {
	all, nameless, stuck, undone, orders, failed := 0, 0, 0, 0, 0, 0
	for _, ran := range runs {
		r := back.of[ran.Config.Seed]
		all, stuck = all+len(r.Letters), stuck+len(r.Letters)-r.Sent
		for _, letter := range r.Letters {
			if letter.Topic == "" || letter.Partition == "" || letter.Offset == "" || letter.Attempts < 1 || letter.Error == "" || !letter.Created.IsValid() {
				nameless++
			}
		}
		list := ran.Orders(services.Kafka)
		undone, orders = undone+count(list, func(o rundir.Order) bool { return o.Outcome != "completed" }), orders+len(list)
		failed += count(list, func(o rundir.Order) bool { return hitBy(o, "error") })
	}
	f.Count(isBuried, failedForNow, failed, orders)
	f.Count(isBuried, inLetters, all, max(1, all))
	f.Count(isBuried, anonymous, nameless, max(1, all))
	f.Count(isBuried, notSentBack, stuck, max(1, all))
	f.Count(isBuried, undoneInEnd, undone, orders)
}

// hitBy tells whether a fault of a kind hit an order.
func hitBy(o rundir.Order, kind string) bool {
	for _, fault := range o.Hit {
		if strings.Contains(fault, ":"+kind) {
			return true
		}
	}
	return false
}

// doublings estimates how often the p99 of a calm run doubles in an arm: ratios scatter evenly around their mean only in logarithms.
func (f Figures) doublings(arm string) (verdict.Estimate, error) {
	times, err := f.Values(arm, againstCalm)
	if err != nil {
		return verdict.Estimate{}, err
	}
	values := make([]float64, len(times))
	for i, t := range times {
		values[i] = math.Log2(t)
	}
	return verdict.Runs(values)
}

// diedQuietly tells whether a reaction's record was tried again and put with the dead letters.
func diedQuietly(j *journey.Journey) error {
	set := j.Set()
	dead, linked := false, false
	for _, i := range j.Spans() {
		if m, ok := set.Span(i).Messaging(); ok && m.Operation == semconv.OperationSend && strings.HasSuffix(m.Topic(), reactionsOn+".dlq") {
			dead = true
		}
		for e := range set.Causes(i) {
			linked = linked || e.Class == journey.ClassRetry
		}
	}
	switch {
	case !linked:
		return errors.New("no attempt is linked to the one before")
	case !dead:
		return fmt.Errorf("nothing is sent to %s.dlq", reactionsOn)
	}
	return nil
}

// silentlyFailed tells whether lint finds that a journey failed and its caller was told nothing.
func silentlyFailed(j *journey.Journey) bool {
	root, ok := j.Root()
	if !ok {
		return false
	}
	span := j.Set().Span(root)
	rules := slices.DeleteFunc(lint.Rules(), func(r lint.Rule) bool { return r.ID != "P09" })
	return slices.ContainsFunc(lint.Check(j.Set(), lint.WithRules(rules...)).Findings, func(f lint.Finding) bool {
		return f.Trace == span.Trace && f.Span == span.ID
	})
}
