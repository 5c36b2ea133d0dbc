// Package compare judges groups of journeys against each other: what differs, by how much, how sure that is, and where the
// difference is.
//
//	before := compare.Group{Name: "before", Journeys: journey.NewSet(spans).Journeys()}
//	result := compare.Groups([]compare.Group{before, after}, compare.WithPairs(compare.ByAttribute("order.number")))
//	for _, d := range result.Differences {
//		fmt.Println(d.Measure, d)
//	}
//
// Groups gives medians with their 95 % intervals, paired where journeys belong together. It says less or more only when the
// interval excludes 0; Difference.Enough tells what would settle the rest. Its nodes say where the difference is: the
// journeys' spans are laid out as trees, and a step that one group reaches by a call meets the one that another group
// reaches by a message.
//
// A measure is a value: WithMeasures compares by others than those of Measures.
package compare
