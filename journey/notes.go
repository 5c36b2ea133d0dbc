package journey

import (
	"fmt"
)

// ownWarnings adds what is wrong with the journey as a whole.
func (j *Journey) ownWarnings(l *warningList) {
	if len(j.spans) == 0 {
		return
	}
	first := j.set.Span(j.first())
	if !j.rooted() {
		l.add(RuleRoots, func() Warning {
			return Warning{Rule: RuleRoots, Span: first.Ref(), Text: fmt.Sprintf("no root: the earliest span is %s of %s", first.Name, first.ServiceName())}
		})
	}
	if n := len(j.unreached); n > 0 {
		l.add(RuleRoots, func() Warning {
			return Warning{Rule: RuleRoots, Span: first.Ref(), Text: fmt.Sprintf("%d spans of its traces are not reached from its first span, and on no path", n)}
		})
	}
	for _, g := range j.CompletionPath() {
		if g.Wait && g.Class == ClassUnexplained {
			span := j.set.Span(g.Span)
			l.add(RuleUnexplained, func() Warning {
				return Warning{Rule: RuleUnexplained, Span: span.Ref(), Text: fmt.Sprintf("nothing explains the %d ns before %s of %s", g.Duration().Nanoseconds(), span.Name, span.ServiceName())}
			})
		}
	}
	for _, m := range j.Messages() {
		if m.Delivery < 0 {
			c := j.set.Span(m.Consumer)
			l.add(RuleClockSkew, func() Warning {
				return Warning{Rule: RuleClockSkew, Span: c.Ref(), Text: fmt.Sprintf("%s of %s started %d ns before its producer: clocks are off by at least that much",
					c.Name, c.ServiceName(), -m.Delivery.Nanoseconds())}
			})
		}
	}
}
