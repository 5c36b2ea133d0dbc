package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tracelab/compare"
)

// CompleteOptions bounds what Complete asks for. Its zero value is of use.
type CompleteOptions struct {
	By        []string      // attributes that tie traces together, such as the id of an order or a run: each value is searched for
	Questions int           // how many may be asked; 0 means 200
	Timeout   time.Duration // for all of them; 0 means a minute
	Margin    time.Duration // how long before and after the spans with a value a search looks; 0 means ten minutes
}

func (o CompleteOptions) withDefaults() CompleteOptions {
	o.Questions = cmp.Or(o.Questions, 200)
	o.Timeout = cmp.Or(o.Timeout, time.Minute)
	o.Margin = cmp.Or(o.Margin, 10*time.Minute)
	return o
}

// Absence is what is known about a span that others refer to and that is not there.
type Absence uint8

// What a question for a span may come to.
const (
	NotAsked   Absence = iota // the span is there, or nothing refers to it
	NotFetched                // it may be stored, but could not be asked for
	NotStored                 // the store was asked, and does not have it
)

// String returns the absence in words.
func (a Absence) String() string {
	switch a {
	case NotFetched:
		return "not fetched"
	case NotStored:
		return "not stored"
	case NotAsked:
	}
	return "not asked"
}

// Missing is a span that another one names, as its parent or by a link, and that is still not there.
type Missing struct {
	compare.Ref
	By      compare.Ref // the first span that names it
	Link    bool        // by a link
	Absence Absence
	Reason  string // why it was not fetched
}

// Completion is a set of spans with what it was completed by.
type Completion struct {
	Spans     []compare.Span // those given, then those that were fetched
	Fetched   int            // how many were fetched
	Questions int            // how many were asked
	Missing   []Missing      // by trace and span

	// Warnings are those of the store, P01 (parents) and P04 (links) that tell what is not stored from what was not fetched, and
	// D12 for searches that failed.
	Warnings []compare.Warning
}

// Absence tells what is known about a span. It searches Missing: O(log n).
func (c Completion) Absence(r compare.Ref) Absence {
	i, found := slices.BinarySearchFunc(c.Missing, r, func(m Missing, r compare.Ref) int { return compareRefs(m.Ref, r) })
	if !found {
		return NotAsked
	}
	return c.Missing[i].Absence
}

// Complete asks a store for what spans refer to and what is not among them: the traces of missing parents and of missing
// targets of links, then what those refer to, and so on; and, by the attributes of the options, traces that refer to these.
// A span that is there already is kept as it is. Questions are asked four at a time; a round of them that all fail is the
// last one. What could not be fetched is no error but in the result; the error is that of a context that the caller ended.
//
// It takes time and memory in proportion to spans, links and answers.
func Complete(ctx context.Context, spans []compare.Span, store Store, options CompleteOptions) (Completion, error) {
	o := options.withDefaults()
	asking, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	c := completer{store: store, options: o, have: make(map[compare.Ref]bool), asked: make(map[question]error)}
	c.add(spans)
	given := len(c.Spans)
	for {
		questions := c.next()
		if len(questions) == 0 {
			break
		}
		if left := o.Questions - c.Questions; len(questions) > left {
			questions, c.stopped = questions[:left], fmt.Sprintf("the limit of %d questions was reached", o.Questions)
		}
		answered := c.ask(asking, questions)
		if asking.Err() != nil && c.stopped == "" {
			c.stopped = fmt.Sprintf("the time of %v was over", o.Timeout)
		}
		if !answered && c.stopped == "" {
			c.stopped = "the store did not answer"
		}
		if c.stopped != "" {
			break
		}
	}
	c.Fetched = len(c.Spans) - given
	c.conclude()
	return c.Completion, ctx.Err()
}

// question is one to a store: for a trace, or for an attribute's value.
type question struct {
	trace      compare.TraceID
	key, value string
}

func (q question) compare(other question) int {
	return cmp.Or(cmp.Compare(q.key, other.key), cmp.Compare(q.value, other.value), q.trace.Compare(other.trace))
}

// completer is at work on a completion.
type completer struct {
	Completion
	store   Store
	options CompleteOptions
	have    map[compare.Ref]bool
	asked   map[question]error // with what came of it
	periods map[question][2]int64
	stopped string // why nothing more is asked
	lost    bool   // the warning about what a format does not keep is there: one is enough
}

// add takes over spans that are not there yet, and notes whom they name and which values they have.
func (c *completer) add(spans []compare.Span) {
	from := len(c.Spans)
	for _, s := range spans {
		if !c.have[s.Ref()] || s.ID.IsZero() {
			c.have[s.Ref()] = true
			c.Spans = append(c.Spans, s)
		}
	}
	for i := range c.Spans[from:] {
		s := &c.Spans[from+i]
		c.name(Missing{Ref: compare.Ref{Trace: s.Trace, Span: s.Parent}, By: s.Ref()})
		for _, l := range s.Links {
			c.name(Missing{Ref: l.Ref, By: s.Ref(), Link: true})
		}
		c.noteValues(s)
	}
	c.Missing = slices.DeleteFunc(c.Missing, func(m Missing) bool { return c.have[m.Ref] })
}

func (c *completer) name(m Missing) {
	if !m.Trace.IsZero() && !m.Span.IsZero() && !c.have[m.Ref] {
		c.Missing = append(c.Missing, m)
	}
}

// noteValues widens the time to search for each value that the span has.
func (c *completer) noteValues(s *compare.Span) {
	for _, key := range c.options.By {
		v, ok := s.Attr(key)
		if !ok {
			continue
		}
		if c.periods == nil {
			c.periods = make(map[question][2]int64)
		}
		q := question{key: key, value: v.String()}
		p, ok := c.periods[q]
		if !ok {
			p = [2]int64{s.Start, s.End}
		}
		c.periods[q] = [2]int64{min(p[0], s.Start), max(p[1], s.End)}
	}
}

// next returns the questions that were not asked yet: searches, whose answers may spare the others, and then traces.
func (c *completer) next() []question {
	open := make(map[question]bool)
	for q := range c.periods {
		if _, asked := c.asked[q]; !asked {
			open[q] = true
		}
	}
	if len(open) == 0 {
		for _, m := range c.Missing {
			q := question{trace: m.Trace}
			if _, asked := c.asked[q]; !asked {
				open[q] = true
			}
		}
	}
	list := make([]question, 0, len(open))
	for q := range open {
		list = append(list, q)
	}
	slices.SortFunc(list, question.compare)
	return list
}

// atATime is how many questions are under way together.
const atATime = 4

// ask puts questions, and takes over the answers in their order. It reports whether one of them was an answer.
func (c *completer) ask(ctx context.Context, questions []question) bool {
	results, errs := make([]Result, len(questions)), make([]error, len(questions))
	each(len(questions), func(i int) { results[i], errs[i] = c.one(ctx, questions[i]) })
	answered := false
	for i, q := range questions {
		c.asked[q] = errs[i]
		c.Questions++
		answered = answered || errs[i] == nil || errors.Is(errs[i], ErrNotStored)
		if errs[i] != nil {
			continue
		}
		c.add(results[i].Spans)
		c.warn(results[i].Warnings)
	}
	return answered
}

func (c *completer) one(ctx context.Context, q question) (Result, error) {
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	if q.key == "" {
		return c.store.Trace(ctx, q.trace)
	}
	p, margin := c.periods[q], c.options.Margin
	return c.store.Search(ctx, Query{
		Attributes: map[string]string{q.key: q.value},
		Start:      time.Unix(0, p[0]).Add(-margin), End: time.Unix(0, p[1]).Add(margin),
	})
}

func (c *completer) warn(warnings []compare.Warning) {
	for _, w := range warnings {
		if w.Rule == "D11" && c.lost {
			continue
		}
		c.lost = c.lost || w.Rule == "D11"
		c.Warnings = append(c.Warnings, w)
	}
}

// conclude says of everything that is missing why it is.
func (c *completer) conclude() {
	slices.SortStableFunc(c.Missing, func(a, b Missing) int { return compareRefs(a.Ref, b.Ref) })
	c.Missing = slices.CompactFunc(c.Missing, func(a, b Missing) bool { return a.Ref == b.Ref })
	for i := range c.Missing {
		m := &c.Missing[i]
		switch err, asked := c.asked[question{trace: m.Trace}]; {
		case asked && (err == nil || errors.Is(err, ErrNotStored)):
			m.Absence = NotStored
		case asked:
			m.Absence, m.Reason = NotFetched, err.Error()
		default:
			m.Absence, m.Reason = NotFetched, c.stopped
		}
	}
	c.failedSearches()
	c.summarise()
}

// failedSearches warns of them, since nothing that is missing shows it.
func (c *completer) failedSearches() {
	failed, searches, first := 0, 0, ""
	for _, q := range c.searches() {
		err, asked := c.asked[q]
		searches++
		if asked && err == nil {
			continue
		}
		if failed++; first == "" {
			first = c.stopped
			if err != nil {
				first = err.Error()
			}
		}
	}
	if failed > 0 {
		c.Warnings = append(c.Warnings, compare.Warning{Rule: "D12", Text: fmt.Sprintf("%d of %d searches by attribute were not answered, so journeys may lack traces: %s", failed, searches, first)})
	}
}

func (c *completer) searches() []question {
	list := make([]question, 0, len(c.periods))
	for q := range c.periods {
		list = append(list, q)
	}
	slices.SortFunc(list, question.compare)
	return list
}

// summarise writes one warning for each reason, not for each span: there may be many.
func (c *completer) summarise() {
	type reason struct {
		link    bool
		absence Absence
		text    string
	}
	counts, first := make(map[reason]int), make(map[reason]Missing)
	var order []reason
	for _, m := range c.Missing {
		r := reason{m.Link, m.Absence, m.Reason}
		if counts[r]++; counts[r] == 1 {
			first[r], order = m, append(order, r)
		}
	}
	for _, r := range order {
		rule, what := "P01", "parents"
		if r.link {
			rule, what = "P04", "targets of links"
		}
		text := fmt.Sprintf("%d %s are %s, the first is %s", counts[r], what, r.absence, first[r].Ref)
		if r.text != "" {
			text += ": " + r.text
		}
		c.Warnings = append(c.Warnings, compare.Warning{Rule: rule, Span: first[r].By, Text: text})
	}
}

func compareRefs(a, b compare.Ref) int {
	return cmp.Or(a.Trace.Compare(b.Trace), a.Span.Compare(b.Span))
}
