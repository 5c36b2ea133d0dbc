package journey

import (
	"cmp"
	"fmt"
	"slices"
)

// RuleID names a rule. Those beginning with D are about the data as it was read, those beginning with P about propagation.
// Package journey/lint has more.
type RuleID string

// The rules of warnings: of a Set, a Journey, and the readers in package journey/source.
const (
	RuleDuplicate     RuleID = "D01" // an exact duplicate was dropped
	RuleDuplicateID   RuleID = "D02" // several spans use one id
	RuleTimesReversed RuleID = "D03" // a span ended before it started
	RuleParentCycle   RuleID = "D04" // parents form a cycle
	RuleServerOverrun RuleID = "D05" // a server ran on after its client's span ended
	RuleUnexplained   RuleID = "D06" // nothing explains a part of a completion path
	RuleTimeRange     RuleID = "D07" // a time is out of range
	RuleNoID          RuleID = "D08" // a span has no id
	RuleDamaged       RuleID = "D09" // a damaged piece of the input was skipped
	RuleLinkCycle     RuleID = "D10" // callers by link form a cycle
	RuleFormatLoss    RuleID = "D11" // the format, or the way to it, lost something
	RuleSearchCut     RuleID = "D12" // a search did not return all that there may be
	RuleCutTrace      RuleID = "D13" // a service cut trace ids to 64 bits
	RuleUnseen        RuleID = "D14" // what was done with a message is not seen
	RuleLoop          RuleID = "D15" // work of a worker's loop belongs to no message
	RuleOpenReply     RuleID = "D16" // a message came back while its sender waited, and nothing ties it to what was sent
	RuleTiedByLink    RuleID = "D17" // messages are tied to a journey by a link only
	RuleBackground    RuleID = "D18" // one piece of work in the background makes almost all of the completion
	RuleOrphan        RuleID = "P01" // a parent is missing
	RuleRoots         RuleID = "P02" // a trace has no root, or spans that its root does not reach
	RuleLinkTarget    RuleID = "P04" // the target of a link is missing
	RuleStoreWarning  RuleID = "P07" // the system that stored a trace has a warning about it
	RuleClockSkew     RuleID = "P10" // a consumer started before its producer: clocks are off
)

// Warning says what was found wrong, and how it was dealt with.
type Warning struct {
	Rule RuleID
	Span Ref    // zero when it concerns no single span
	Text string // one sentence
	More int    // how many more warnings of its rule it stands for
}

// String returns the rule and the text.
func (w Warning) String() string { return string(w.Rule) + " " + w.Text }

// maxWarnings is how many warnings of one rule a list has: the last of them stands for all that follow.
const maxWarnings = 100

// warningList collects warnings, maxWarnings of each rule.
type warningList struct {
	list  []Warning
	count map[RuleID]int
	last  map[RuleID]int // position of the last one that is listed
}

// add appends a warning, or counts it. The text is written only for a warning that is listed.
func (l *warningList) add(rule RuleID, write func() Warning) {
	if l.count == nil {
		l.count, l.last = make(map[RuleID]int), make(map[RuleID]int)
	}
	if l.count[rule]++; l.count[rule] > maxWarnings {
		l.list[l.last[rule]].More++
		return
	}
	l.last[rule] = len(l.list)
	l.list = append(l.list, write())
}

// warnings returns what was collected. A warning that stands for others says so.
func (l *warningList) warnings() []Warning {
	for i := range l.list {
		if w := &l.list[i]; w.More > 0 {
			w.Text += fmt.Sprintf("; and %d more warnings of this kind", w.More)
		}
	}
	return l.list
}

// rule is a RuleID as a small number.
type rule uint8

const (
	ruleDuplicate rule = iota
	ruleDuplicateID
	ruleEndBeforeStart
	ruleCycle
	ruleServerRunsOver
	ruleTimeRange
	ruleNoID
	ruleLinkCycle
	ruleOrphan
	ruleLinkTarget
	ruleCutTrace
)

// finding is a Warning before its text is written: a set of a million spans may have a million.
type finding struct {
	span  Index
	other int32 // a link's number, or a count
	rule  rule
}

func (s *Set) note(r rule, span Index, other int) {
	s.findings = append(s.findings, finding{span, int32(other), r})
}

// sortFindings sorts the findings by span, so that they do not depend on the order of the input.
func (s *Set) sortFindings() {
	slices.SortFunc(s.findings, func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.span, b.span), cmp.Compare(a.rule, b.rule), cmp.Compare(a.other, b.other))
	})
}

// findingsOf returns the findings about one span.
func (s *Set) findingsOf(i Index) []finding {
	lo, _ := slices.BinarySearchFunc(s.findings, i, func(f finding, i Index) int { return cmp.Compare(f.span, i) })
	hi := lo
	for hi < len(s.findings) && s.findings[hi].span == i {
		hi++
	}
	return s.findings[lo:hi]
}

// id returns the rule's id.
func (r rule) id() RuleID {
	return [...]RuleID{
		ruleDuplicate: RuleDuplicate, ruleDuplicateID: RuleDuplicateID, ruleEndBeforeStart: RuleTimesReversed, ruleCycle: RuleParentCycle,
		ruleServerRunsOver: RuleServerOverrun, ruleTimeRange: RuleTimeRange, ruleNoID: RuleNoID, ruleLinkCycle: RuleLinkCycle,
		ruleOrphan: RuleOrphan, ruleLinkTarget: RuleLinkTarget, ruleCutTrace: RuleCutTrace,
	}[r]
}

func (s *Set) warning(f finding) Warning {
	span := s.Span(f.span)
	w := Warning{Rule: f.rule.id(), Span: span.Ref()}
	at := fmt.Sprintf("%s of %s", span.Name, span.ServiceName())
	switch f.rule {
	case ruleDuplicate:
		w.Text = fmt.Sprintf("%s was there %d times; one is kept", at, f.other+1)
	case ruleDuplicateID:
		w.Text = fmt.Sprintf("%s has an id that an earlier span of its trace has too; references to the id mean the earlier one", at)
	case ruleEndBeforeStart:
		w.Text = fmt.Sprintf("%s ended before it started; it counts as having no length", at)
	case ruleCycle:
		w.Text = fmt.Sprintf("%s is its own ancestor; its parent is ignored", at)
	case ruleServerRunsOver:
		w.Text = fmt.Sprintf("%s ended later than the client span that called it, which shows no error; it counts up to the client's end", at)
	case ruleTimeRange:
		w.Text = fmt.Sprintf("%s has a time out of range; the nearest possible time is used", at)
	case ruleNoID:
		w.Text = fmt.Sprintf("%s has no id; nothing can refer to it", at)
	case ruleLinkCycle:
		w.Text = fmt.Sprintf("%s is its own caller by way of a link; that call is ignored", at)
	case ruleOrphan:
		w.Text = fmt.Sprintf("%s names the parent %s, which is missing", at, span.Parent)
	case ruleCutTrace:
		w.Text = fmt.Sprintf("%s and the spans below it had a trace id that a service cut to 64 bits; they count in the trace %s, which ends in it", at, span.Trace)
	case ruleLinkTarget:
		w.Text = fmt.Sprintf("%s links to %s, which is missing", at, span.Links[f.other].Ref)
	}
	return w
}
