package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tracelab/journey"
	"tracelab/journey/format"
)

// maxSavings and maxBranches bound how many of a journey's steps and branches are written.
const (
	maxSavings  = 5
	maxBranches = 20
)

// saving is what a journey would save without the work of one span.
type saving struct {
	service, name, work    string
	completion, callerWait string // by how much less
}

// stepSavings replays a journey without the work of each of the spans that work longest on its completion path.
func stepSavings(j *journey.Journey, completion []journey.Segment) []saving {
	spans := j.Spans()
	work := make([]time.Duration, len(spans)) // by position
	for _, g := range completion {
		if at, ok := j.Position(g.Span); ok && !g.Wait {
			work[at] += g.Duration()
		}
	}
	wait, rooted := j.CallerWait()
	var list []saving
	replayer := j.Replayer()
	for _, at := range longest(work) {
		i := spans[at]
		x := replayer.WhatIf(func(k journey.Index) float64 {
			if k == i {
				return 0
			}
			return 1
		})
		span := j.Set().Span(i)
		w := saving{service: format.Escape(span.ServiceName()), name: format.Escape(span.Name), work: format.Duration(work[at]), completion: lessBy(j.Completion() - x.Completion), callerWait: "–"}
		if rooted {
			w.callerWait = lessBy(wait - x.CallerWait)
		}
		list = append(list, w)
	}
	return list
}

// longest returns the positions of the maxSavings longest durations that are not 0, the longest first.
func longest(work []time.Duration) []int {
	var list []int
	for at, d := range work {
		k := len(list)
		for k > 0 && work[list[k-1]] < d {
			k--
		}
		if d > 0 && k < maxSavings {
			list = slices.Insert(list, k, at)
			list = list[:min(len(list), maxSavings)]
		}
	}
	return list
}

func lessBy(d time.Duration) string {
	if d == 0 {
		return "as it is"
	}
	return format.Duration(d) + " less"
}

func savingTable(b *strings.Builder, savings []saving, style format.Style) {
	rows := [][]cell{{left("service"), left("step"), number("on the path"), number("completion"), number("caller wait")}}
	for _, w := range savings {
		rows = append(rows, []cell{left(w.service), left(w.name), number(w.work), number(w.completion), number(w.callerWait)})
	}
	figureTable(b, style, "  ", 2, rows)
}

// branchRows writes the branches of a journey: end, slack, service, span, and what led to it.
func branchRows(j *journey.Journey, branches []journey.Branch) [][5]string {
	set := j.Set()
	var rows [][5]string
	for _, x := range branches[:min(maxBranches, len(branches))] {
		slack, via := "none, the last", ""
		if x.Slack > 0 {
			slack = format.Duration(x.Slack)
		}
		if x.Via >= 0 {
			via = format.Escape(set.Span(x.Via).ServiceName()) + " " + format.Escape(set.Span(x.Via).Name)
		}
		rows = append(rows, [5]string{format.Duration(x.End), slack, format.Escape(set.Span(x.Span).ServiceName()), format.Escape(set.Span(x.Span).Name), via})
	}
	return rows
}

// leastAfter is how much of the last column of branches is kept whole before names are shortened: most of its words are shorter.
const leastAfter = 16

func branchTable(b *strings.Builder, j *journey.Journey, branches []journey.Branch, style format.Style) {
	rows := [][]cell{{number("ended"), number("slack"), left("service"), left("branch"), left("after")}}
	for _, r := range branchRows(j, branches) {
		service, name, _ := strings.Cut(r[4], " ")
		rows = append(rows, []cell{number(r[0]), number(r[1]), left(r[2]), left(r[3]), left(strings.TrimSpace(shorten(service, mostNameWidth) + " " + name))})
	}
	shortenNames(style, "  ", rows, leastAfter)
	shortenLastWords(style, "  ", rows)
	table(b, style, "  ", rows)
	if more := len(branches) - maxBranches; more > 0 {
		fmt.Fprintf(b, "  and %d more branches\n", more)
	}
}
