package traceset

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/watch/summary"
)

// maxNamedRoots bounds the roots that an error names.
const maxNamedRoots = 5

// Summaries is what tracelab watch kept of journeys, on a topic of Kafka.
type Summaries struct {
	text    string
	address kafkaAddress
}

// Name is the address.
func (s Summaries) Name() string { return s.text }

// Earlier is the address of the summaries of the same roots in the time just before, which is as long.
func (s Summaries) Earlier() string { return s.address.earlier() }

// About says what is read, and what summaries have not.
func (s Summaries) About() []string {
	return []string{fmt.Sprintf("%s: summaries of journeys that began from %s to %s: measures and structures; nodes and pairs take traces",
		s.text, s.address.since.UTC().Format(time.RFC3339), s.address.until.UTC().Format(time.RFC3339))}
}

// Spans fails: a summary has none.
func (s Summaries) Spans(context.Context) (Spans, error) {
	return Spans{}, unread(fmt.Errorf("%s has summaries of journeys, which have no spans: compare reads them; for one journey ask the trace store for its trace", s.text))
}

// Group reads the summaries as a baseline, each journey once.
func (s Summaries) Group(ctx context.Context) (compare.Group, []journey.Warning, error) {
	c := collected{address: s.address, seen: map[journey.TraceID]bool{}, roots: map[compare.Root]int{}}
	if err := readKafka(ctx, s.address, c.add); err != nil {
		return compare.Group{}, nil, unread(fmt.Errorf("%s: %w", s.text, err))
	}
	if err := c.check(); err != nil {
		return compare.Group{}, nil, unread(fmt.Errorf("%s: %w", s.text, err))
	}
	var warnings []journey.Warning
	if c.damaged > 0 {
		warnings = append(warnings, journey.Warning{Rule: journey.RuleDamaged,
			Text: fmt.Sprintf("%s: %d of %d records are no summaries, and were skipped; the first: %v", s.text, c.damaged, c.read, c.firstDamage)})
	}
	slices.SortFunc(c.records, func(a, b compare.Record) int { return strings.Compare(a.Trace, b.Trace) }) // whatever order partitions came in
	return compare.NewBaselineOf(s.text, c.records).Group(), warnings, nil
}

// collected are summaries as they are read.
type collected struct {
	address     kafkaAddress
	seen        map[journey.TraceID]bool
	records     []compare.Record
	roots       map[compare.Root]int // of the time, those that are not asked for too
	read        int
	damaged     int
	firstDamage error
}

func (c *collected) add(value []byte) {
	c.read++
	s, err := summary.Parse(value)
	if err != nil {
		c.damaged++
		c.firstDamage = cmp.Or(c.firstDamage, err)
		return
	}
	root := compare.Root{Service: s.Root.Service, Name: s.Root.Name}
	if s.Start < c.address.since.UnixNano() || s.Start >= c.address.until.UnixNano() || c.seen[s.TraceID()] {
		return
	}
	c.seen[s.TraceID()] = true
	c.roots[root]++
	if c.address.has(root) {
		c.records = append(c.records, recordOf(&s, root))
	}
}

// recordOf keeps of a summary what a comparison needs.
func recordOf(s *summary.Summary, root compare.Root) compare.Record {
	r := compare.Record{Root: root, Trace: s.Root.Trace, Spans: s.Spans, Figures: map[string]float64{}, Weight: s.Weight, TailMark: s.Tailed}
	if s.Outcome == summary.Incomplete {
		r.Incomplete = s.Reason
	}
	if s.Structure != nil {
		r.Signature, r.Nodes = s.Structure.Signature, s.Structure.Nodes
	}
	for name, d := range map[string]*time.Duration{compare.CallerWait: s.CallerWait, compare.Completion: s.Completion, compare.Tail: s.Tail, compare.QueueWait: s.QueueWait} {
		if d != nil {
			r.Figures[name] = float64(*d) / 1e6
		}
	}
	return r
}

// check returns an error when no journey is left.
func (c *collected) check() error {
	a := c.address
	switch {
	case len(c.records) > 0:
		return nil
	case c.damaged > 0 && c.damaged == c.read:
		return fmt.Errorf("none of %d records of topic %s is a summary: name the topic that tracelab watch writes them to: %w", c.read, a.topic, c.firstDamage)
	case len(c.seen) == 0:
		return fmt.Errorf("topic %s has no journey that began from %s to %s: look further back with since=24h, or see whether tracelab watch runs",
			a.topic, a.since.UTC().Format(time.RFC3339), a.until.UTC().Format(time.RFC3339))
	}
	roots := make([]compare.Root, 0, len(c.roots))
	for root := range c.roots {
		roots = append(roots, root)
	}
	slices.SortFunc(roots, func(x, y compare.Root) int {
		return cmp.Or(cmp.Compare(c.roots[y], c.roots[x]), strings.Compare(x.String(), y.String()))
	})
	var names []string
	for _, root := range roots[:min(len(roots), maxNamedRoots)] {
		names = append(names, root.Service+"/"+root.Name)
	}
	return fmt.Errorf("none of %d journeys of topic %s has the root %s: there are %s", len(c.seen), a.topic, strings.TrimSuffix(a.service+"/"+a.name, "/"), strings.Join(names, ", "))
}
