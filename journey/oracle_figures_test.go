package journey_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tracelab/journey"
)

// effects are the spans that a span led to.
func (o *oracle) effects(i int) []int {
	var list []int
	for c := range o.spans {
		if slices.ContainsFunc(o.in[c], func(e oracleEdge) bool { return e.pred == i && e.class != journey.ClassRetry }) {
			list = append(list, c)
		}
	}
	return list
}

// arrived is the consumer's start; for a receive span that was open before the message was sent, the start of what it led to
// first after that, or its own end if that is sooner.
func (o *oracle) arrived(producer, consumer int) int64 {
	sent := o.spans[producer].Start
	if o.op(consumer) != "receive" || o.spans[consumer].Start >= sent {
		return o.spans[consumer].Start
	}
	at := o.spans[consumer].End
	for _, c := range o.effects(consumer) {
		if o.spans[c].Start >= sent {
			at = min(at, o.spans[c].Start)
		}
	}
	return at
}

// oracleMessage is one delivery.
type oracleMessage struct {
	producer, consumer int
	wait               int64
}

// messages are the deliveries of a journey: to the spans that handle, and to receive spans that stand for them. What a receive
// span passed on to a span that ran after it counts there, unless it had several messages and passed them on to several.
func (o *oracle) messages(closure map[int]bool) []oracleMessage {
	var list []oracleMessage
	for _, c := range slices.Sorted(maps.Keys(closure)) {
		var producers []int
		for _, e := range o.in[c] {
			if o.delivers(e) && closure[e.pred] {
				producers = append(producers, e.pred)
			}
		}
		consumers := []int{c}
		if o.polls[c] || o.shared[c] || len(producers) == 0 {
			continue
		}
		if o.op(c) == "receive" {
			var after []int
			for _, x := range o.effects(c) {
				caller, called := o.caller[x]
				if o.consumer(x) && o.op(x) != "receive" && o.one(x, c) && (!called || caller != c) {
					after = append(after, x)
				}
			}
			if len(after) == 1 || len(after) > 1 && len(producers) == 1 {
				consumers = after
			}
		}
		for _, p := range producers {
			for _, x := range consumers {
				list = append(list, oracleMessage{p, x, o.arrived(p, x) - o.spans[p].End})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b oracleMessage) int {
		return cmp.Or(cmp.Compare(a.producer, b.producer), cmp.Compare(a.consumer, b.consumer))
	})
	return list
}

func (o *oracle) topic(i int) string { return o.attr(i, "messaging.destination.name") }

func (o *oracle) sends(i int) bool {
	return (o.spans[i].Kind == journey.KindProducer || o.op(i) == "send") && o.op(i) != "create"
}

// expected are the groups that handled at least one in twenty of a topic's messages, those that were handled again left out.
func (o *oracle) expected(topic string) []string {
	if topic == "" {
		return nil
	}
	sent, handled := 0, map[string]int{}
	for i := range o.spans {
		if o.topic(i) != topic {
			continue
		}
		if o.sends(i) {
			sent++
		}
		again := slices.ContainsFunc(o.in[i], func(e oracleEdge) bool { return e.class == journey.ClassRetry })
		if group := o.group(i); o.consumer(i) && group != "" && !again {
			for _, e := range o.in[i] {
				if o.delivers(e) {
					handled[group]++
				}
			}
		}
	}
	var groups []string
	for group, n := range handled {
		if n*20 >= sent {
			groups = append(groups, group)
		}
	}
	return groups
}

// incomplete tells what shows that spans of a journey are missing. Beside are the spans of its traces that it does not reach.
func (o *oracle) incomplete(j oracleJourney, beside []journey.Index) string {
	for i := range o.spans {
		if !j.closure[i] && !slices.Contains(beside, journey.Index(i)) {
			continue
		}
		s := o.spans[i]
		if !s.Parent.IsZero() && o.resolve(journey.Ref{Trace: s.Trace, Span: s.Parent}) < 0 && (i != j.root || o.hasParents(i)) {
			return fmt.Sprint("the parent of ", i)
		}
		led := slices.ContainsFunc(o.in[i], func(e oracleEdge) bool { return e.class == journey.ClassMessage && j.closure[e.pred] })
		missing := slices.ContainsFunc(s.Links, func(l journey.Link) bool { return o.resolve(l.Ref) < 0 })
		if o.consumer(i) && missing && !led {
			return fmt.Sprint("a link of ", i)
		}
	}
	all := o.messages(j.closure)
	for i := range j.closure {
		topic, reached := o.topic(i), map[string]bool{}
		for _, m := range all {
			if m.producer == i {
				topic, reached[o.group(m.consumer)] = cmp.Or(topic, o.topic(m.consumer)), true
			}
		}
		if o.failed(i) || !o.sends(i) && len(reached) == 0 {
			continue
		}
		for _, group := range o.expected(topic) {
			if !reached[group] {
				return fmt.Sprint("group ", group, " of what ", i, " sent")
			}
		}
	}
	return ""
}

// hasParents reports whether spans of that service and name have their parents in the set.
func (o *oracle) hasParents(of int) bool {
	return 0 <= o.first(func(i int, s journey.Span) bool {
		_, found := o.parent[i]
		return found && s.Name == o.spans[of].Name && o.service(i) == o.service(of)
	})
}

// background are the spans that were called or started and make, with all that they led to, more than nine tenths of the
// completion, and that nothing else outlives: one of them alone, or all that outlive the first span together.
func (o *oracle) background(j oracleJourney, first int) (alone []int, together map[int]bool) {
	start := o.start(j)
	end := start
	for i := range j.closure {
		end = max(end, o.eff(i))
	}
	least := (end - start) / 10 * 9
	together = map[int]bool{}
	outlive := 0
	for _, x := range slices.Sorted(maps.Keys(j.closure)) {
		started := len(o.in[x]) > 0 && !slices.ContainsFunc(o.in[x], func(e oracleEdge) bool {
			return !slices.Contains([]journey.Class{journey.ClassCall, journey.ClassDetachedAfter, journey.ClassDetachedOverlap, journey.ClassAbandoned}, e.class)
		})
		if !started || x == first || o.eff(x) <= o.eff(first) {
			continue
		}
		outlive++
		o.reach(x, together, func(int) bool { return false })
		reached := map[int]bool{}
		o.reach(x, reached, func(int) bool { return false })
		if rest, any := o.lastBeside(j, reached); any && o.eff(x)-o.spans[x].Start > least && rest < o.eff(x) && end-rest > least {
			alone = append(alone, x)
		}
	}
	if rest, any := o.lastBeside(j, together); outlive < 2 || !any || end-rest <= least {
		together = nil
	}
	return alone, together
}

// lastBeside is when the last of the spans of a journey ended that were not reached.
func (o *oracle) lastBeside(j oracleJourney, reached map[int]bool) (rest int64, any bool) {
	rest = o.start(j)
	for i := range j.closure {
		if !reached[i] {
			rest, any = max(rest, o.eff(i)), true
		}
	}
	return rest, any
}

// Deliveries and their queue waits, links that are no cause, which journeys are whole, and background work.
func TestFiguresAgainstTheOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set := journey.NewSet(anySpans(t))
		o := newOracle(set)
		for i := range o.spans {
			to, from := set.Related(journey.Index(i))
			for k := range o.spans {
				if slices.Contains(to, journey.Index(k)) != o.related[[2]int{i, k}] || slices.Contains(from, journey.Index(k)) != o.related[[2]int{k, i}] {
					t.Fatalf("span %d is related to %v, and from %v; want %v:\n%s", i, to, from, o.related, describe(set))
				}
			}
		}
		for _, got := range set.Journeys() {
			j := oracleJourney{-1, map[int]bool{}}
			if root, ok := got.Root(); ok {
				j.root = int(root)
			}
			for _, i := range got.Spans() {
				j.closure[int(i)] = true
			}
			var messages []oracleMessage
			for _, m := range got.Messages() {
				messages = append(messages, oracleMessage{int(m.Producer), int(m.Consumer), int64(m.Wait)})
			}
			if want := o.messages(j.closure); !slices.Equal(messages, want) {
				t.Fatalf("journey from %d has the messages %v, want %v:\n%s", j.root, messages, want, describe(set))
			}
			reason, incomplete := got.Incomplete()
			if want := o.incomplete(j, got.Unreached()); incomplete != (want != "") {
				t.Fatalf("journey from %d is incomplete: %q, want %q:\n%s", j.root, reason, want, describe(set))
			}
			first, _ := got.First()
			b, ok := got.Background()
			alone, together := o.background(j, int(first))
			reached := map[int]bool{}
			for _, i := range b.Spans {
				o.reach(int(i), reached, func(int) bool { return false })
			}
			switch {
			case ok != (len(alone) > 0 || together != nil):
			case !ok, len(b.Spans) == 1 && slices.Contains(alone, int(b.Spans[0])), len(alone) == 0 && maps.Equal(reached, together):
				continue
			}
			t.Fatalf("journey from %d has background work %v %v, want one of %v, or what reaches %v:\n%s", j.root, b, ok, alone, together, describe(set))
		}
	})
}
