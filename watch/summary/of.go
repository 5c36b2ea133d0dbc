package summary

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/journey/lint"
)

// Limits of a summary, so that its line fits a record of Kafka's default size (1 MiB) whatever is in the spans.
const (
	maxName       = 256 // bytes
	maxText       = 512 // bytes
	maxQueues     = 32
	maxWaits      = 256 // of each queue
	maxSteps      = 64
	maxWarnings   = 32
	maxUnreceived = 32
	maxRules      = 256
)

// ruleSilent finds work that failed though the caller was told that all is well.
const ruleSilent journey.RuleID = "P09"

// Of summarizes a journey. Incomplete says why spans of it may be missing, where whoever judges it knows that and the spans do
// not show it; "" otherwise. Spans beside those of the journey (stubs of what caused them) are in no count.
func Of(j *journey.Journey, incomplete string) Summary {
	s := Summary{Schema: Schema, Root: rootOf(j), Start: j.Start(), Spans: j.Len(), Traces: len(j.Traces()), Queues: []Queue{}, Steps: []Step{}, Warnings: []Warning{}}
	s.Lint = findings(j)
	s.judge(j, incomplete)
	s.measure(j)
	s.addMessages(j)
	s.addSteps(j)
	if signature, nodes := compare.StructureOf(j); nodes > 0 {
		s.Structure = &Structure{signature, nodes}
	}
	sampling := journey.SamplingOf([]*journey.Journey{j})
	if s.Tailed = sampling.Tail; sampling.Weighted {
		w, _ := j.Weight()
		s.Weight = &w
	}
	for _, w := range j.Warnings() {
		s.Warnings = append(s.Warnings, Warning{w.Rule, clip(w.Text, maxText)})
	}
	slices.SortFunc(s.Warnings, func(a, b Warning) int { return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Text, b.Text)) })
	s.Warnings = s.Warnings[:min(len(s.Warnings), maxWarnings)]
	return s
}

func rootOf(j *journey.Journey) Root {
	i, ok := j.First()
	if !ok {
		return Root{Trace: journey.TraceID{}.String(), Span: journey.SpanID{}.String()}
	}
	ref, kind := j.Set().Span(i).Ref(), compare.RootOf(j)
	return Root{ref.Trace.String(), ref.Span.String(), clip(kind.Service, maxName), clip(kind.Name, maxName)}
}

// findings counts what lint finds about spans of the journey.
func findings(j *journey.Journey) map[journey.RuleID]int {
	counts := map[journey.RuleID]int{}
	set := j.Set()
	for _, f := range lint.Check(set).Findings {
		if i, ok := set.Find(journey.Ref{Trace: f.Trace, Span: f.Span}); ok && j.Contains(i) {
			counts[f.Rule]++
		}
	}
	return counts
}

// judge finds the outcome. What the spans show goes before what only the watcher knows.
func (s *Summary) judge(j *journey.Journey, incomplete string) {
	reason, is := j.Incomplete()
	switch root, rooted := j.Root(); {
	case is:
		s.Outcome, s.Reason = Incomplete, clip(reason, maxText)
	case incomplete != "":
		s.Outcome, s.Reason = Incomplete, clip(incomplete, maxText)
	case rooted && j.Set().Span(root).Status == journey.StatusError:
		s.Outcome = Error
	case s.Lint[ruleSilent] > 0:
		s.Outcome, s.Silent = Error, true
	default:
		s.Outcome = OK
	}
}

func (s *Summary) measure(j *journey.Journey) {
	if d, ok := j.CallerWait(); ok {
		s.CallerWait = &d
	}
	if d, ok := j.Tail(); ok {
		s.Tail = &d
	}
	if j.Len() > 0 {
		s.Completion = new(j.Completion())
	}
}

// addMessages adds the queues and the mean of their waits.
func (s *Summary) addMessages(j *journey.Journey) {
	messages := j.Messages()
	s.Deliveries, s.Messages = len(messages), len(j.Unreceived())
	type key struct{ topic, group string }
	waits := map[key][]time.Duration{}
	sum := 0.0
	for k, m := range messages {
		if k == 0 || m.Producer != messages[k-1].Producer {
			s.Messages++
		}
		at := key{clip(m.Topic, maxName), clip(m.Group, maxName)}
		waits[at] = append(waits[at], m.Wait)
		sum += float64(m.Wait)
	}
	if len(messages) > 0 {
		s.QueueWait = new(time.Duration(sum / float64(len(messages))))
	}
	for at, list := range waits {
		slices.Sort(list)
		s.Queues = append(s.Queues, Queue{at.topic, at.group, len(list), thin(list)})
	}
	slices.SortFunc(s.Queues, func(a, b Queue) int { return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Group, b.Group)) })
	s.Queues = s.Queues[:min(len(s.Queues), maxQueues)]
	for _, topic := range j.UnreceivedTopics() {
		s.Unreceived = append(s.Unreceived, clip(topic, maxName))
	}
	slices.Sort(s.Unreceived)
	s.Unreceived = slices.Compact(s.Unreceived)
	s.Unreceived = s.Unreceived[:min(len(s.Unreceived), maxUnreceived)]
}

// thin takes maxWaits of a longer list, at equal distances, the first and the last among them.
func thin(list []time.Duration) []time.Duration {
	if len(list) <= maxWaits {
		return list
	}
	kept := make([]time.Duration, maxWaits)
	for k := range kept {
		kept[k] = list[k*(len(list)-1)/(maxWaits-1)]
	}
	return kept
}

func (s *Summary) addSteps(j *journey.Journey) {
	type key struct{ service, name string }
	at := map[key]int{}
	for _, g := range j.CompletionPath() {
		service, name := compare.StepOf(j.Set(), g.Span)
		k := key{clip(service, maxName), clip(name, maxName)}
		i, ok := at[k]
		if !ok {
			i = len(s.Steps)
			at[k] = i
			s.Steps = append(s.Steps, Step{Service: k.service, Name: k.name})
		}
		if g.Wait {
			s.Steps[i].Wait += g.Duration()
		} else {
			s.Steps[i].Work += g.Duration()
		}
	}
	slices.SortFunc(s.Steps, func(a, b Step) int {
		return cmp.Or(cmp.Compare(b.Work+b.Wait, a.Work+a.Wait), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Name, b.Name))
	})
	if len(s.Steps) <= maxSteps {
		return
	}
	s.Rest = &Rest{Steps: len(s.Steps) - maxSteps}
	for _, x := range s.Steps[maxSteps:] {
		s.Rest.Work, s.Rest.Wait = s.Rest.Work+x.Work, s.Rest.Wait+x.Wait
	}
	s.Steps = s.Steps[:maxSteps]
}

// clip cuts a text to a number of bytes, between two characters, and says so by an ellipsis. What is not UTF-8 becomes
// the replacement character, as it would in JSON.
func clip(text string, most int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= most {
		return text
	}
	end := most - len("…")
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}
