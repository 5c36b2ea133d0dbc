package experiments

import (
	"slices"

	"tracelab/internal/vocabulary"
)

// All lists the claims, in the order in which they run.
func All() []Claim {
	return slices.Concat([]Claim{
		callerWait(), completion(), reply(), freshness(), hops(), extraParts(),
		failingService(), hybridCheckout(), fanOut(), chainLength(), aggregation(), distance(), batchLog(), hardToFollow(), resources(), eventualConsistency(),
	}, queueClaims(), outageClaims())
}

// outageClaims are those in which a part goes away, or a message goes wrong.
func outageClaims() []Claim {
	return []Claim{
		serviceDown(), brokerDown(), coupling(), durability(), duplicates(), poison(), reaction(), availability(), brokers(),
	}
}

// Named returns the claims of that name, in the order of All, or all of them for "all".
func Named(names ...string) ([]Claim, error) {
	all := All()
	var known []string
	for _, c := range all {
		known = append(known, c.Name)
	}
	if slices.Equal(names, []string{"all"}) {
		return all, nil
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, &vocabulary.UnknownError{What: "claim", Word: name, Known: append(known, "all")}
		}
	}
	return slices.DeleteFunc(all, func(c Claim) bool { return !slices.Contains(names, c.Name) }), nil
}
