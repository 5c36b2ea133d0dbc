package journey

import (
	"fmt"
	"slices"
	"strconv"

	"tracelab/journey/semconv"
)

// counted writes a number and the word that goes with it.
func counted(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + more
}

// note adds a warning about one span of the journey.
func (l *warningList) note(rule RuleID, span *Span, format string, args ...any) {
	l.add(rule, func() Warning { return Warning{Rule: rule, Span: span.Ref(), Text: fmt.Sprintf(format, args...)} })
}

// ownWarnings adds warnings about the journey as a whole, and about parts of it that the traces do not show.
func (j *Journey) ownWarnings(l *warningList) {
	if len(j.spans) == 0 {
		return
	}
	first := j.set.Span(j.first())
	if !j.rooted() {
		l.note(RuleRoots, first, "no root: the earliest span is %s of %s", first.Name, first.ServiceName())
	}
	if n := len(j.unreached); n > 0 {
		l.note(RuleRoots, first, "%s not reached from its first span, and on no path", counted(n, "span of its traces is", "spans of its traces are"))
	}
	path := j.CompletionPath()
	for _, g := range path {
		if g.Wait && g.Class == ClassUnexplained {
			span := j.set.Span(g.Span)
			l.note(RuleUnexplained, span, "nothing explains the %d ns before %s of %s", g.Duration().Nanoseconds(), span.Name, span.ServiceName())
		}
	}
	messages := j.Messages()
	for _, m := range messages {
		if m.Delivery < 0 {
			c := j.set.Span(m.Consumer)
			l.note(RuleClockSkew, c, "%s of %s started %d ns before its producer: clocks are off by at least that much", c.Name, c.ServiceName(), -m.Delivery.Nanoseconds())
		}
	}
	j.noteUnseen(l, messages)
	j.noteLoops(l)
	j.noteOpenReplies(l, messages)
	j.noteTiedByLink(l)
	j.noteBackground(l)
}

// noteUnseen warns of messages of which only the receipt is seen.
func (j *Journey) noteUnseen(l *warningList, messages []Message) {
	s := j.set
	for _, m := range messages {
		_, isReply := s.waiters[m.Consumer] // who waited for it shows what was done with it
		if n := &s.nodes[m.Consumer]; !isReply && n.op == semconv.OperationReceive && len(s.effectsOf(m.Consumer)) == 0 {
			c := s.Span(m.Consumer)
			l.note(RuleUnseen, c, "of what %s did with the message only %s is seen: nothing is below it, so the handling may go on outside of it", c.ServiceName(), c.Name)
		}
	}
	for _, i := range j.spans {
		if !s.nodes[i].sends() {
			continue
		}
		for _, u := range s.pollsOf(i) {
			poll := s.Span(u.poll)
			l.note(RuleUnseen, poll, "%s was received by a poll, %s of %s, and handled by nobody seen", s.messageName(i), poll.Name, poll.ServiceName())
		}
	}
}

// noteLoops warns of work in a worker's loop, beside a receive span of the journey.
func (j *Journey) noteLoops(l *warningList) {
	s := j.set
	if len(s.loops) == 0 {
		return
	}
	var list []int32
	for _, t := range j.traces {
		list = append(list, s.loopsOf[t]...)
	}
	for _, k := range list {
		x := &s.loops[k]
		if x.beside == 0 {
			continue
		}
		if slices.ContainsFunc(x.spans, func(i Index) bool { return s.nodes[i].op == semconv.OperationReceive && j.Contains(i) }) {
			root := s.Span(x.root)
			l.note(RuleLoop, root, "%s in the loop %s of %s that nothing ties to what was received beside it", counted(x.beside, "span is", "spans are"), root.Name, root.ServiceName())
		}
	}
}

// maxWalkBack bounds how many causes are followed back in search of a span of the service to which a message came back.
const maxWalkBack = 64

// noteOpenReplies warns of messages that came back to a service while a span of it that had sent one was open, and no
// conversation id ties the two: it is not known whether the span waited for the message.
func (j *Journey) noteOpenReplies(l *warningList, messages []Message) {
	s := j.set
	for _, m := range messages {
		q := m.Consumer
		if _, known := s.waiters[q]; known {
			continue
		}
		service := s.nodes[q].service
		at := j.lastCause(m.Producer)
		for range maxWalkBack {
			if at == none {
				break
			}
			if n := &s.nodes[at]; n.sends() && n.service == service {
				if n.is(hasConversation) && s.nodes[q].is(hasConversation) {
					break // their ids tell: it is no reply, or an earlier one of several
				}
				if waiter := j.openCaller(at, q); waiter != none {
					w, c := s.Span(waiter), s.Span(q)
					l.note(RuleOpenReply, c, "a message of the journey came back to %s, in %s, while %s was open; without messaging.message.conversation_id on both nobody knows whether it waited for that", c.ServiceName(), c.Name, w.Name)
				}
				break
			}
			at = j.lastCause(at)
		}
	}
}

// openCaller returns the nearest caller of p in the service of q that was open when q came, or none.
func (j *Journey) openCaller(p, q Index) Index {
	s := j.set
	at := s.nodes[p].caller
	for range maxWalkBack {
		if at == none || s.nodes[at].service == s.nodes[q].service && s.waits(at, q) {
			return at
		}
		at = s.nodes[at].caller
	}
	return none
}

// noteTiedByLink warns of a journey with messages whose first span links to this one, and the other way round.
func (j *Journey) noteTiedByLink(l *warningList) {
	s := j.set
	if len(s.related.from) == 0 {
		return
	}
	for _, i := range j.spans {
		for _, k := range others(s.related.to, i) {
			if x := s.journeyAt(k); x != nil && !j.Contains(k) && x.sendsMessages() {
				r := s.Span(k)
				l.note(RuleTiedByLink, r, "messages of %s of %s are tied to this journey by a link only, in trace %s: they are not part of it", r.Name, r.ServiceName(), r.Trace)
			}
		}
	}
	if !j.sendsMessages() {
		return
	}
	for _, t := range others(s.related.from, j.first()) {
		if to := s.Span(t); !j.Contains(t) {
			l.note(RuleTiedByLink, to, "the messages of this journey are tied to %s of %s by a link only, in trace %s: they are not part of what it caused", to.Name, to.ServiceName(), to.Trace)
		}
	}
}

// journeyAt returns the journey whose first span is i, or nil.
func (s *Set) journeyAt(i Index) *Journey {
	for _, j := range s.traceJourneys[s.nodes[i].trace] {
		if j.first() == i {
			return j
		}
	}
	return nil
}

func (j *Journey) sendsMessages() bool {
	return slices.ContainsFunc(j.spans, func(i Index) bool { return j.set.nodes[i].sends() })
}
