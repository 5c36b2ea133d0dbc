package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/journey/format"
)

// JourneysSchema names the JSON document of a list. Fields are added to a version, never renamed.
const JourneysSchema = "tracelab.journeys/v1"

// maxListed bounds the journeys of a list, and its roots in text.
const maxListed = 10

// Journeys is a list of journeys to choose from: how many there are of each root, the slowest, and those that failed.
type Journeys struct {
	Name string
	Of   []*journey.Journey
	// IncludeIncomplete takes incomplete journeys into medians and among the slowest, too.
	IncludeIncomplete bool
}

// whole are the journeys whose completion is known.
func (r Journeys) whole(list []*journey.Journey) []*journey.Journey {
	if r.IncludeIncomplete {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), func(j *journey.Journey) bool { _, ok := j.Incomplete(); return ok })
}

// Slowest returns the journeys by completion, the longest first.
func Slowest(list []*journey.Journey) []*journey.Journey {
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(a, b *journey.Journey) int { return cmp.Compare(b.Completion(), a.Completion()) })
	return sorted
}

// Failed returns the journeys in which a span failed, in their order.
func Failed(list []*journey.Journey) []*journey.Journey {
	return slices.DeleteFunc(slices.Clone(list), func(j *journey.Journey) bool { return len(j.Errors().Own) == 0 })
}

// rootRow has the journeys of one root.
type rootRow struct {
	root   compare.Root
	all    []*journey.Journey
	whole  []*journey.Journey // that figures are of
	failed int
}

// incomplete counts those that are in no figure.
func (x rootRow) incomplete() int { return len(x.all) - len(x.whole) }

func (r Journeys) roots() []rootRow {
	at := make(map[compare.Root]int)
	var rows []rootRow
	for _, j := range r.Of {
		root := compare.RootOf(j)
		i, ok := at[root]
		if !ok {
			i = len(rows)
			at[root] = i
			rows = append(rows, rootRow{root: root})
		}
		rows[i].all = append(rows[i].all, j)
		if len(j.Errors().Own) > 0 {
			rows[i].failed++
		}
	}
	for i := range rows {
		rows[i].whole = r.whole(rows[i].all)
	}
	slices.SortStableFunc(rows, func(a, b rootRow) int { return cmp.Compare(len(b.all), len(a.all)) })
	return rows
}

func completions(list []*journey.Journey) compare.Summary {
	values := make([]float64, len(list))
	for i, j := range list {
		values[i] = float64(j.Completion()) / 1e6
	}
	f := compare.Figures{Values: values, Weights: journey.Weights(list)}
	f.NoInterval, _ = journey.SamplingOf(list).NoInterval()
	return f.Summarize()
}

// WriteText writes the list for people.
func (r Journeys) WriteText(w io.Writer, style format.Style) error {
	var b strings.Builder
	failed := Failed(r.Of)
	whole := r.whole(r.Of)
	title := fmt.Sprintf("%d %s in %s, %d failed", len(r.Of), plural("journey", len(r.Of)), format.Escape(r.Name), len(failed))
	if n := len(r.Of) - len(whole); n > 0 {
		title += fmt.Sprintf(", %d incomplete and in no figure", n)
	}
	b.WriteString(style.Paint(format.Bold, title) + "\n")
	rows := [][]cell{{left("root"), number("journeys"), number("failed"), number("median"), number("p95")}}
	lossy := len(whole) < len(r.Of)
	if lossy {
		rows[0] = slices.Insert(rows[0], 2, number("incomplete"))
	}
	roots := r.roots()
	for _, x := range roots[:min(len(roots), 2*maxListed)] {
		s := completions(x.whole)
		median, p95 := "–", "–"
		if s.Median != nil {
			median = format.Milliseconds(*s.Median)
		}
		if s.P95 != nil {
			p95 = format.Milliseconds(*s.P95)
		}
		row := []cell{left(shorten(format.Escape(x.root.String()), 2*maxNameWidth)), number(fmt.Sprint(len(x.all))), number(fmt.Sprint(x.failed)), number(median), number(p95)}
		if lossy {
			row = slices.Insert(row, 2, number(fmt.Sprint(x.incomplete())))
		}
		rows = append(rows, row)
	}
	if len(roots) > 0 {
		heading(&b, style, "By root, with their completion")
		figureTable(&b, style, "  ", 1, rows)
	}
	if more := len(roots) - 2*maxListed; more > 0 {
		fmt.Fprintf(&b, "  and %d more roots\n", more)
	}
	for _, l := range []struct {
		title string
		list  []*journey.Journey
	}{{"Slowest", Slowest(whole)}, {"Failed", failed}, {"Incomplete", r.incomplete()}} {
		if len(l.list) == 0 {
			continue
		}
		heading(&b, style, l.title)
		rows := [][]cell{{number("completion"), number("spans"), left("trace"), left("root")}}
		for _, j := range l.list[:min(len(l.list), maxListed)] {
			what := format.Escape(compare.RootOf(j).String())
			if reason, ok := j.Incomplete(); ok {
				what += ", incomplete: " + format.Escape(reason)
			}
			if errs := j.Errors().Own; len(errs) > 0 {
				span := j.Set().Span(errs[0])
				what += ", failed: " + format.Escape(span.Service+" "+span.Name)
			}
			rows = append(rows, []cell{number(format.Duration(j.Completion())), number(fmt.Sprint(j.Len())), left(firstTrace(j)), left(what)})
		}
		table(&b, style, "  ", rows)
		if more := len(l.list) - maxListed; more > 0 {
			fmt.Fprintf(&b, "  and %d more\n", more)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// incomplete are the journeys that are in no figure, in their order.
func (r Journeys) incomplete() []*journey.Journey {
	if r.IncludeIncomplete {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(r.Of), func(j *journey.Journey) bool { _, ok := j.Incomplete(); return !ok })
}

// firstTrace returns the first trace of a journey, "" for one without spans.
func firstTrace(j *journey.Journey) string {
	if traces := j.Traces(); len(traces) > 0 {
		return traces[0].String()
	}
	return ""
}

type listedJourney struct {
	Trace      string `json:"trace"`
	Root       string `json:"root"`
	Completion int64  `json:"completion_ns"`
	CallerWait *int64 `json:"caller_wait_ns"`
	Spans      int    `json:"spans"`
	Failed     bool   `json:"failed"`
	Incomplete string `json:"incomplete,omitempty"` // why spans of it are known to be missing
}

type listedRoot struct {
	Root       string          `json:"root"`
	Journeys   int             `json:"journeys"`
	Failed     int             `json:"failed"`
	Incomplete int             `json:"incomplete"` // in no figure
	Completion compare.Summary `json:"completion_ms"`
}

// WriteJSON writes every root and every journey as tracelab.journeys/v1, the slowest journey first.
func (r Journeys) WriteJSON(w io.Writer) error {
	d := struct {
		Schema   string          `json:"schema"`
		Name     string          `json:"name"`
		Roots    []listedRoot    `json:"roots"`
		Journeys []listedJourney `json:"journeys"`
	}{JourneysSchema, r.Name, []listedRoot{}, []listedJourney{}}
	for _, x := range r.roots() {
		d.Roots = append(d.Roots, listedRoot{x.root.String(), len(x.all), x.failed, x.incomplete(), completions(x.whole)})
	}
	for _, j := range Slowest(r.Of) {
		l := listedJourney{Trace: firstTrace(j), Root: compare.RootOf(j).String(), Completion: j.Completion().Nanoseconds(), Spans: j.Len(), Failed: len(j.Errors().Own) > 0}
		if wait, ok := j.CallerWait(); ok {
			l.CallerWait = new(wait.Nanoseconds())
		}
		l.Incomplete, _ = j.Incomplete()
		d.Journeys = append(d.Journeys, l)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(d)
}
