package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"time"

	"tracelab/journey/compare"
	"tracelab/journey/source"
	"tracelab/services"
)

const (
	// linksTimeout bounds the questions whether Jaeger still has what links lead to.
	linksTimeout = 10 * time.Second
	// mostTries is how many orders are tried for one link, from the median outwards.
	mostTries = 5
)

// kept is what a Jaeger still has of a run, as far as links need it. A Jaeger with its traces in memory forgets the oldest for the newest,
// so a link that was made from the run alone may lead nowhere a moment later.
type kept struct {
	asked     bool
	medians   map[services.Form]*record // the order with the median completion of those that are there; none: nothing is there
	forgotten map[services.Form]int     // judged orders whose traces are gone
	twin      *record                   // of the median by messages: the same order by calls
	err       error                     // why not all was asked
}

// findKept asks Jaeger for what the report will link to.
func (r *running) findKept(ctx context.Context) {
	if r.env.jaeger == nil || uiBase(r.Jaeger) == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, linksTimeout)
	defer cancel()
	k := kept{asked: true, medians: map[services.Form]*record{}, forgotten: map[services.Form]int{}}
	for _, form := range r.Forms {
		k.find(ctx, r.env.jaeger, r.judge, form)
	}
	k.findTwin(ctx, r.env.jaeger, r.judge)
	r.kept = k
}

// find looks, by halves, for the oldest order of a form that is there, and for the median among those from it on. Jaeger forgets by when the
// first span of a trace came, which is nearly the order of placing: the number is about right.
func (k *kept) find(ctx context.Context, f *fetcher, j *judge, form services.Form) {
	list := slices.DeleteFunc(slices.Clone(j.records[form]), func(r *record) bool { return !r.judged() })
	slices.SortStableFunc(list, func(a, b *record) int { return a.Intended.Compare(b.Intended) })
	first := sort.Search(len(list), func(i int) bool { return k.has(ctx, f, list[i]) })
	if k.err != nil {
		return
	}
	k.forgotten[form] = first
	completion := measureIndex(compare.Completion)
	for i, r := range fromTheMedian(list[first:], func(r *record) float64 { return r.values[completion] }) {
		if i == mostTries {
			return
		}
		if k.has(ctx, f, r) {
			k.medians[form] = r
			return
		}
	}
}

// fromTheMedian sorts records by how far their value is from the median (the lower of two), the median first.
func fromTheMedian(list []*record, value func(*record) float64) []*record {
	if len(list) == 0 {
		return nil
	}
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(a, b *record) int { return cmp.Compare(value(a), value(b)) })
	median := sorted[(len(sorted)-1)/2]
	slices.SortStableFunc(sorted, func(a, b *record) int {
		return cmp.Compare(math.Abs(value(a)-value(median)), math.Abs(value(b)-value(median)))
	})
	return slices.Insert(slices.DeleteFunc(sorted, func(r *record) bool { return r == median }), 0, median)
}

// findTwin looks for the order by calls that Jaeger can show beside the median one by messages.
func (k *kept) findTwin(ctx context.Context, f *fetcher, j *judge) {
	call, message := firstKept(k.medians, services.GRPC, services.REST), firstKept(k.medians, services.Kafka, services.Hybrid)
	if call == "" || message == "" {
		return
	}
	if twin := j.find(orderKey{call, k.medians[message].Number}); twin != nil && twin.judged() && k.has(ctx, f, twin) {
		k.twin = twin
	}
}

// firstKept is the first of the forms that has an order, or "".
func firstKept(orders map[services.Form]*record, forms ...services.Form) services.Form {
	for _, form := range forms {
		if orders[form] != nil {
			return form
		}
	}
	return ""
}

// has asks for an order's first trace. After an error nothing more is asked, and everything counts as there.
func (k *kept) has(ctx context.Context, f *fetcher, r *record) bool {
	if k.err != nil {
		return true
	}
	_, err := f.store.Trace(ctx, r.root.Trace)
	if errors.Is(err, source.ErrNotStored) {
		return false
	}
	k.err = err
	return true
}

// warnings say what Jaeger has forgotten, and what would keep it.
func (k *kept) warnings(u unitWord, forms []services.Form, orders int) []string {
	var texts []string
	for _, form := range forms {
		if n := k.forgotten[form]; n > 0 {
			texts = append(texts, fmt.Sprintf("Jaeger has forgotten about %d of the %d %s of %s already (this report has them): it keeps the newest traces alone; JAEGER_MAX_TRACES, or max_traces of its memory store, keeps more", n, orders, u.many(), form))
		}
	}
	if k.err != nil {
		texts = append(texts, fmt.Sprintf("whether Jaeger still has what the links lead to is not known: %v", k.err))
	}
	return texts
}
