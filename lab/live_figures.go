package lab

import (
	"slices"
	"time"

	"tracelab/journey/compare"
	"tracelab/services"
)

const (
	// figuresFor is the time that medians and percentiles of a snapshot are about, pointsFor the time that its points are about.
	figuresFor, pointsFor = 30 * time.Second, 2 * time.Minute
)

// LivePoint is one second of the last two minutes.
type LivePoint struct {
	At                 time.Time // when the second began
	CallerWait         *float64  // median in ms of the answers that came in it; nil: none came
	Completion         *float64  // median in ms of the journeys that became complete in it; nil: none did
	Answers, Completed int       // how many they were
}

// figures are what was measured of the newest units, second by second. The judge's lock guards them.
type figures struct{ forms map[services.Form][]*second }

// second is one second of a form.
type second struct {
	at                int64 // unix time
	waits, completion []float64
	point             LivePoint // when the values are not needed any more
}

func newFigures() figures { return figures{map[services.Form][]*second{}} }

// now is the second of a form that is now, after those that are too old have been let go.
func (f *figures) now(form services.Form) *second {
	at := time.Now().Unix()
	list := f.forms[form]
	if n := len(list); n > 0 && list[n-1].at == at {
		return list[n-1]
	}
	for _, s := range list {
		if s.at < at-int64(figuresFor/time.Second) && (s.waits != nil || s.completion != nil) {
			s.point = s.summary()
			s.waits, s.completion = nil, nil
		}
	}
	list = slices.DeleteFunc(list, func(s *second) bool { return s.at < at-int64(pointsFor/time.Second) })
	s := &second{at: at}
	f.forms[form] = append(list, s)
	return s
}

// waited notes a unit's caller wait in ms.
func (f *figures) waited(form services.Form, ms float64) {
	s := f.now(form)
	s.waits = append(s.waits, ms)
}

// completedIn notes the completion of a journey in ms.
func (f *figures) completedIn(form services.Form, ms float64) {
	s := f.now(form)
	s.completion = append(s.completion, ms)
}

// summary is the second as a point.
func (s *second) summary() LivePoint {
	if s.waits == nil && s.completion == nil && !s.point.At.IsZero() {
		return s.point
	}
	p := LivePoint{At: time.Unix(s.at, 0), Answers: len(s.waits), Completed: len(s.completion)}
	for _, of := range []struct {
		values []float64
		to     **float64
	}{{s.waits, &p.CallerWait}, {s.completion, &p.Completion}} {
		*of.to = compare.Summarize(of.values).Median
	}
	return p
}

// of sums up the newest values of a form, in ms.
func (f *figures) of(form services.Form) (wait, completion compare.Summary, points []LivePoint) {
	now := time.Now().Unix()
	var waits, completions []float64
	for _, s := range f.forms[form] {
		if s.at < now-int64(pointsFor/time.Second) {
			continue
		}
		points = append(points, s.summary())
		if s.at >= now-int64(figuresFor/time.Second) {
			waits, completions = append(waits, s.waits...), append(completions, s.completion...)
		}
	}
	return compare.Summarize(waits), compare.Summarize(completions), points
}

// measured notes the completion of a journey that is complete. The judge's lock is held.
func (l *Live) measured(u *keptUnit) {
	if ms := u.values[measureIndex(compare.Completion)]; ms == ms { // not NaN: the form has one
		l.figures.completedIn(u.key.form, ms)
	}
	l.changes.note()
}
