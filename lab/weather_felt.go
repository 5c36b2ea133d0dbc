package lab

import (
	"fmt"
	"strings"
	"time"

	"tracelab/journey/compare"
	"tracelab/services"
)

// Felt is what became of the orders that were under way while a part was away, or a link disturbed, in each form.
type Felt struct {
	What   string                    `json:"what"`    // payment killed; link orders>payment:latency=40ms
	FromMS float64                   `json:"from_ms"` // from the first order's intended start
	ToMS   *float64                  `json:"to_ms"`   // null: it lasted until the end of the run
	Forms  map[services.Form]*FeltBy `json:"forms"`

	from, to time.Time // to is the zero time when it lasted
}

// FeltBy is who felt it in one form.
type FeltBy struct {
	UnderWay HitOrders `json:"under_way"` // orders that had begun and not ended at some time meanwhile
	Others   HitOrders `json:"others"`
	Failed   int       `json:"failed"`     // of those under way: refused, failed, or without a 2xx answer
	Pending  int       `json:"unfinished"` // of those under way: neither completed nor failed when the run ended
}

// felt says who felt each event and each disturbed link, and notes it with the orders.
func (r *running) felt() []*Felt {
	for _, form := range r.Forms {
		for _, o := range r.judge.records[form] {
			if o != nil {
				o.During = nil
			}
		}
	}
	list := r.disturbed()
	for _, f := range list {
		f.Forms = map[services.Form]*FeltBy{}
		for _, form := range r.Forms {
			f.Forms[form] = r.feltBy(f, form)
		}
	}
	return list
}

// disturbed lists what was done to parts of the lab, with the times in which it lasted.
func (r *running) disturbed() []*Felt {
	var list []*Felt
	add := func(what string, from, to time.Time) {
		f := &Felt{What: what, FromMS: milliseconds(from.Sub(r.began)), from: from, to: to}
		if !to.IsZero() {
			f.ToMS = new(milliseconds(to.Sub(r.began)))
		}
		list = append(list, f)
	}
	for _, o := range outages(r.happened) {
		if !o.to.IsZero() {
			o.to = o.to.Add(-aftermath)
		}
		add(o.part+" "+map[string]string{"stop": "stopped", "kill": "killed", "pause": "paused"}[o.do], o.from, o.to)
	}
	for _, l := range r.Links {
		from, to := r.began.Add(l.Begin), time.Time{}
		if l.End > 0 {
			to = r.began.Add(l.End)
		}
		l.Begin, l.End = 0, 0 // they are told beside it
		add("link "+l.String(), from, to)
	}
	return list
}

// feltBy sorts the orders of a form by whether they were under way meanwhile.
func (r *running) feltBy(f *Felt, form services.Form) *FeltBy {
	by := &FeltBy{}
	wait, completion := measureIndex(compare.CallerWait), measureIndex(compare.Completion)
	var waits, completions [2][]float64
	for _, o := range r.judge.records[form] {
		if o == nil || !o.placed {
			continue
		}
		side, at := &by.Others, 0
		if r.underWay(o, f) {
			side, at = &by.UnderWay, 1
			o.During = append(o.During, f.What)
			switch outcome := o.outcome(); {
			case outcome == "pending", outcome == "lost", outcome == "unknown":
				by.Pending++
			case outcome != string(services.Completed) || !o.Answered():
				by.Failed++
			}
		}
		side.Orders++
		if v, ok := o.value(wait); ok {
			waits[at] = append(waits[at], v)
		}
		if v, ok := o.value(completion); ok {
			completions[at] = append(completions[at], v)
		}
	}
	by.Others.CallerWait, by.Others.Completion = summaryOf(waits[0]), summaryOf(completions[0])
	by.UnderWay.CallerWait, by.UnderWay.Completion = summaryOf(waits[1]), summaryOf(completions[1])
	return by
}

// underWay tells whether an order had begun and not ended at some time while something lasted. One that never ended was under way from its
// start on; one without a complete journey ended with its answer.
func (r *running) underWay(o *record, f *Felt) bool {
	if !f.to.IsZero() && !o.Intended.Before(f.to) {
		return false
	}
	switch o.outcome() {
	case "pending", "lost", "unknown":
		return true
	}
	end := o.Intended.Add(time.Duration(o.Response))
	if v, ok := o.value(measureIndex(compare.Completion)); ok {
		end = maxTime(end, o.Intended.Add(time.Duration(o.StartLag)+time.Duration(v*float64(time.Millisecond))))
	}
	return !end.Before(f.from)
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// lines are a line about it, and one for each form.
func (f *Felt) lines(u unitWord, forms []services.Form) []string {
	what := f.What + " to the end"
	if f.ToMS != nil {
		what = fmt.Sprintf("%s for %s", f.What, inWords(*f.ToMS-f.FromMS))
	}
	lines := []string{fmt.Sprintf("%s, from %s on; of the %s under way meanwhile", what, inWords(f.FromMS), u.many())}
	for _, form := range forms {
		if by := f.Forms[form]; by != nil {
			lines = append(lines, fmt.Sprintf("  %s: %s", form, by))
		}
	}
	return lines
}

// String says how many failed, and how long the others took.
func (b *FeltBy) String() string {
	if b.UnderWay.Orders == 0 {
		return "there was none"
	}
	text := fmt.Sprintf("%d of %d failed", b.Failed, b.UnderWay.Orders)
	if b.Pending > 0 {
		text += fmt.Sprintf(", %d did not end", b.Pending)
	}
	var took []string
	for _, m := range []struct {
		name          string
		here, besides *compare.Summary
	}{{"wait", b.UnderWay.CallerWait, b.Others.CallerWait}, {"completion", b.UnderWay.Completion, b.Others.Completion}} {
		if m.here != nil && m.besides != nil && m.here.Median != nil && m.besides.Median != nil {
			took = append(took, fmt.Sprintf("%s %s, else %s", m.name, inWords(*m.here.Median), inWords(*m.besides.Median)))
		}
	}
	if len(took) > 0 {
		text += "; " + strings.Join(took, "; ") + " (medians)"
	}
	return text
}

// inWords is a number of milliseconds with its unit.
func inWords(ms float64) string {
	if ms >= 1000 {
		return significant(ms/1000) + " s"
	}
	return significant(ms) + " ms"
}
