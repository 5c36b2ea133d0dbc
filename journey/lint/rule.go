package lint

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"tracelab/journey"
)

// Conventions is the version of OpenTelemetry's semantic conventions that the rules follow. Those for messaging are in
// development there: their names may still change.
const Conventions = "1.43.0"

// Rule is one rule.
type Rule struct {
	ID         journey.RuleID
	Level      Level
	Finds      string // one sentence
	Fix        string // what to do
	Convention string // the semantic conventions' part and version, empty for a rule that follows none

	// Check examines a set and reports findings to the Pass. EachSpan makes one of a function for a single span. A rule with a
	// nil Check finds nothing.
	Check func(*Pass)
}

const (
	messagingConvention = "messaging " + Conventions + " (in development)"
	httpConvention      = "HTTP " + Conventions
)

// Rules returns all rules of this package, ordered by ID.
func Rules() []Rule {
	rules := slices.Concat(messagingRules(), messageValueRules(), structureRules(), propagationRules(), deliveryRules(), httpRules(), cardinalityRules(), dataRules())
	slices.SortFunc(rules, func(a, b Rule) int { return cmp.Compare(a.ID, b.ID) })
	return rules
}

// Only returns the rules with these ids. The error names an id that no rule has.
func Only(rules []Rule, ids ...journey.RuleID) ([]Rule, error) {
	if err := known(rules, ids); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(rules), func(r Rule) bool { return !slices.Contains(ids, r.ID) }), nil
}

// Without returns the rules that have none of these ids. The error names an id that no rule has.
func Without(rules []Rule, ids ...journey.RuleID) ([]Rule, error) {
	if err := known(rules, ids); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(rules), func(r Rule) bool { return slices.Contains(ids, r.ID) }), nil
}

func known(rules []Rule, ids []journey.RuleID) error {
	for _, id := range ids {
		if slices.ContainsFunc(rules, func(r Rule) bool { return r.ID == id }) {
			continue
		}
		names := make([]string, len(rules))
		for i, r := range rules {
			names[i] = string(r.ID)
		}
		return fmt.Errorf("there is no rule %q: use one of %s", id, strings.Join(names, ", "))
	}
	return nil
}

// EachSpan makes a Rule's Check of a function that looks at one span.
func EachSpan(check func(p *Pass, i journey.Index)) func(*Pass) {
	return func(p *Pass) {
		for i := range journey.Index(p.set.Len()) {
			check(p, i)
		}
	}
}

// eachMessage makes a Check of a function that looks at one messaging span that has attributes messaging.*.
func eachMessage(check func(p *Pass, i journey.Index, m *message)) func(*Pass) {
	return func(p *Pass) {
		for i, m := range p.messages {
			if m != nil && !m.bare {
				check(p, journey.Index(i), m)
			}
		}
	}
}
