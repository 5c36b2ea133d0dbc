package lint

import (
	"cmp"
	"slices"

	"tracelab/journey"
)

// Conventions is the version of OpenTelemetry's semantic conventions that the rules follow. Those for messaging are in
// development there: their names may still change.
const Conventions = "1.43.0"

// Rule is one rule. Exactly one of its functions is set.
type Rule struct {
	ID         journey.RuleID
	Level      Level
	Finds      string // one sentence
	Fix        string // what to do
	Convention string // the semantic conventions' part and version, empty for a rule that follows none

	message func(c *checker, i journey.Index, m *message) // called for each messaging span with attributes messaging.*
	span    func(c *checker, i journey.Index)             // called for each span
	set     func(c *checker)                              // called once
}

const (
	messagingConvention = "messaging " + Conventions + " (in development)"
	httpConvention      = "HTTP " + Conventions
)

// Rules returns all rules, ordered by ID.
func Rules() []Rule {
	rules := slices.Concat(messagingRules(), messageValueRules(), structureRules(), propagationRules(), deliveryRules(), httpRules(), cardinalityRules())
	slices.SortFunc(rules, func(a, b Rule) int {
		return cmp.Compare(a.ID, b.ID)
	})
	return rules
}
