package lint

import "tracelab/journey"

// dataRules are about spans as they were read: what package journey repaired or ignored.
func dataRules() []Rule {
	return []Rule{
		{ID: journey.RuleDuplicateID, Level: LevelError, Check: warned(journey.RuleDuplicateID),
			Finds: "Several spans of a trace have one id, so that references to it are to any of them.",
			Fix:   "look for an id generator that was seeded alike in two processes, and for proxies that pass ids on as their own"},
		{ID: journey.RuleTimesReversed, Level: LevelWarning, Check: warned(journey.RuleTimesReversed),
			Finds: "A span ended before it started.",
			Fix:   "take start and end from one clock that is not set back, such as the SDK's own"},
		{ID: journey.RuleParentCycle, Level: LevelError, Check: warned(journey.RuleParentCycle),
			Finds: "A span is its own parent or ancestor.",
			Fix:   "look for code that sets parent ids itself, or reuses the id of a span"},
		{ID: journey.RuleLinkCycle, Level: LevelWarning, Check: warned(journey.RuleLinkCycle),
			Finds: "A span is its own caller by way of a link.",
			Fix:   "link to the spans that came before, not to those that follow"},
		{ID: journey.RuleCutTrace, Level: LevelWarning, Check: warned(journey.RuleCutTrace),
			Finds: "A service passes on the lower half of a trace id alone, so that one trace is stored as two.",
			Fix:   "let it take trace ids of 128 bits: traceparent, or B3 with the whole id"},
	}
}

// warned makes a Check of the set's own warnings of a rule.
func warned(rule journey.RuleID) func(*Pass) {
	return func(c *Pass) {
		for _, w := range c.set.Warnings() {
			if w.Rule != rule {
				continue
			}
			if i, ok := c.set.Find(w.Span); ok {
				c.Report(i, w.Text)
			}
		}
	}
}
