package source

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"tracelab/journey"
)

// CompleteOption changes what Complete asks for.
type CompleteOption func(*completeOptions)

type completeOptions struct {
	keys      []string
	questions int
	timeout   time.Duration
	margin    time.Duration
}

// WithKeys names attributes that tie traces together, such as the id of an order or a run: Complete searches for each of
// their values. By default it searches for nothing.
func WithKeys(keys ...string) CompleteOption { return func(o *completeOptions) { o.keys = keys } }

// WithQuestions bounds how many questions the store is asked. The default is 200.
func WithQuestions(limit int) CompleteOption { return func(o *completeOptions) { o.questions = limit } }

// WithTimeout bounds the time for all questions together. The default is a minute.
func WithTimeout(d time.Duration) CompleteOption { return func(o *completeOptions) { o.timeout = d } }

// WithMargin sets how far a search for a value reaches beyond the spans with that value, before and after. The default is ten
// minutes.
func WithMargin(d time.Duration) CompleteOption { return func(o *completeOptions) { o.margin = d } }

// Complete asks a store for the traces of missing parents and of missing targets of links, then for what those refer to, and
// so on; and, by the attributes of WithKeys, for traces that belong to these. It keeps given spans as they are. It asks four
// questions at a time, each once. The result says what could not be fetched; the error is only that of a context that the
// caller ended.
//
// It takes time and memory in proportion to spans, links and answers.
func Complete(ctx context.Context, spans []journey.Span, store Store, opts ...CompleteOption) (Completion, error) {
	o := completeOptions{questions: 200, timeout: time.Minute, margin: 10 * time.Minute}
	for _, option := range opts {
		option(&o)
	}
	asking, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	c := completer{store: store, options: o, have: make(map[journey.Ref]bool), asked: make(map[question]error)}
	c.Spans = slices.Clip(spans) // with their duplicates, which package journey finds
	for i := range spans {
		c.have[spans[i].Ref()] = true
	}
	c.note(0)
	for {
		questions := c.next()
		if len(questions) == 0 {
			break
		}
		if left := o.questions - c.Questions; len(questions) > left {
			questions, c.stopped = questions[:left], fmt.Sprintf("the limit of %d questions was reached", o.questions)
		}
		c.ask(asking, questions)
		if asking.Err() != nil && c.stopped == "" {
			c.stopped = fmt.Sprintf("the time of %v was over", o.timeout)
		}
		if c.stopped != "" {
			break
		}
	}
	c.Fetched = len(c.Spans) - len(spans)
	c.conclude()
	return c.Completion, ctx.Err()
}

// question asks a store for a trace, or for an attribute's value.
type question struct {
	trace      journey.TraceID
	key, value string
}

func (q question) compare(other question) int {
	return cmp.Or(cmp.Compare(q.key, other.key), cmp.Compare(q.value, other.value), q.trace.Compare(other.trace))
}

// completer makes a completion.
type completer struct {
	Completion
	store   Store
	options completeOptions
	have    map[journey.Ref]bool
	asked   map[question]error // with the outcome
	periods map[question][2]int64
	stopped string // why nothing more is asked
	lost    bool   // there is a warning about what a format does not keep: one is enough
}

// add adds the spans that are not there yet.
func (c *completer) add(spans []journey.Span) {
	from := len(c.Spans)
	for _, s := range spans {
		if !c.have[s.Ref()] {
			c.have[s.Ref()] = true
			c.Spans = append(c.Spans, s)
		}
	}
	c.note(from)
}

// note records to which spans those from an index on refer, and which values they have.
func (c *completer) note(from int) {
	for i := range c.Spans[from:] {
		s := &c.Spans[from+i]
		c.name(Missing{Ref: journey.Ref{Trace: s.Trace, Span: s.Parent}, By: s.Ref()})
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

// noteValues widens the period in which to search for each value that the span has.
func (c *completer) noteValues(s *journey.Span) {
	for _, key := range c.options.keys {
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

// next returns the questions that were not asked yet: first searches, which may answer the others, then traces.
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

// atATime is how many questions are asked at a time.
const atATime = 4

// ask asks questions, and adds the answers in their order.
func (c *completer) ask(ctx context.Context, questions []question) {
	results, errs := make([]Answer, len(questions)), make([]error, len(questions))
	var group errgroup.Group
	group.SetLimit(atATime)
	for i, q := range questions {
		group.Go(func() error {
			results[i], errs[i] = c.one(ctx, q)
			return nil // a failure must not end the others
		})
	}
	_ = group.Wait() // always nil: the errors are in errs
	for i, q := range questions {
		c.asked[q] = errs[i]
		c.Questions++
		if errs[i] != nil {
			continue
		}
		c.add(results[i].Spans)
		c.warn(results[i].Warnings)
	}
}

func (c *completer) one(ctx context.Context, q question) (Answer, error) {
	if err := ctx.Err(); err != nil {
		return Answer{}, err
	}
	if q.key == "" {
		return c.store.Trace(ctx, q.trace)
	}
	p, margin := c.periods[q], c.options.margin
	return c.store.Search(ctx, Query{
		Attributes: map[string]string{q.key: q.value},
		Start:      time.Unix(0, p[0]).Add(-margin), End: time.Unix(0, p[1]).Add(margin),
	})
}

func (c *completer) warn(warnings []journey.Warning) {
	for _, w := range warnings {
		if w.Rule == journey.RuleFormatLoss && c.lost {
			continue
		}
		c.lost = c.lost || w.Rule == journey.RuleFormatLoss
		c.Warnings = append(c.Warnings, w)
	}
}
