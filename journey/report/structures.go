package report

import (
	"fmt"
	"strings"

	"tracelab/journey/compare"
	"tracelab/journey/format"
)

// maxStructures bounds the structures of a group in text. JSON has all of them.
const maxStructures = 5

// structureLines tells which trees of nodes the journeys of each group have.
func structureLines(b *strings.Builder, groups []compare.GroupSummary, style format.Style) {
	var rows [][]cell
	for _, g := range groups {
		name := format.Escape(g.Name)
		for i, s := range g.Structures {
			if i == maxStructures {
				rows = append(rows, []cell{left(""), left(""), left(fmt.Sprintf("and %d more", len(g.Structures)-i))})
				break
			}
			share := percent(int64(s.Journeys), int64(g.Journeys))
			rows = append(rows, []cell{left(name), number(share), left(structureWords(s, i == 0))})
			name = ""
		}
	}
	if len(rows) > 0 {
		heading(b, style, "Structures: what the journeys of a group are made of")
		table(b, style, "  ", rows)
	}
}

// structureWords tells how a structure differs from the most frequent one.
func structureWords(s compare.Structure, first bool) string {
	words := fmt.Sprintf("%d %s of %d %s", s.Journeys, plural("journey", s.Journeys), s.Nodes, plural("node", s.Nodes))
	if first {
		return words
	}
	var what []string
	if len(s.Joined) > 0 {
		what = append(what, "another branch ended last, before "+someNames(s.Joined))
	}
	if len(s.Moved) > 0 {
		what = append(what, "elsewhere: "+someNames(s.Moved))
	}
	if more := without(s.More, s.Less); len(more) > 0 {
		what = append(what, "more of "+someNames(more))
	}
	if less := without(s.Less, s.More); len(less) > 0 {
		what = append(what, "less of "+someNames(less))
	}
	return words + ": " + strings.Join(append(what, "such as trace "+s.Example), ", ")
}

// without returns the names that the second list does not have as often.
func without(names, others []string) []string {
	left := make(map[string]int, len(others))
	for _, n := range others {
		left[n]++
	}
	var list []string
	for _, n := range names {
		if left[n]--; left[n] < 0 {
			list = append(list, n)
		}
	}
	return list
}

// someNames joins the first three of a list of names.
func someNames(names []string) string {
	const few = 3
	shown := make([]string, 0, few)
	for _, n := range names[:min(few, len(names))] {
		shown = append(shown, format.Escape(n))
	}
	text := strings.Join(shown, ", ")
	if more := len(names) - few; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
