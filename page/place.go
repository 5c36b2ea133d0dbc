package page

import (
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"tracelab/internal/vocabulary"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// twinsShown is how many of the last units the page shows.
const twinsShown = 8

func (s *Server) routesOfPlace(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", s.withLab(func(w http.ResponseWriter, r *http.Request, l *lab.Live) {
		s.render(w, r, http.StatusOK, "place.html", "Place", s.placePage(l, l.Snapshot()))
	}))
	mux.HandleFunc("POST /place", s.withLab(s.place))
	mux.HandleFunc("POST /stream", s.withLab(s.stream))
}

// placeView is the page for placing units.
type placeView struct {
	Unit    string
	What    string // what the flow does, one sentence
	Default services.Form
	Forms   []services.Form
	Stream  streamView
	Last    lastView
	Square  *squareView // nil: the lab does not have all corners
}

// streamView is the stream of units.
type streamView struct {
	Unit      string
	Rate      float64 // 0: there is none
	Set       float64 // what the slider is at
	Forms     []services.Form
	All       []services.Form
	Most      int
	MostSlide int
	Wrong     string // what is wrong with the rate, beside the field
	Typed     string // the rate as it was typed
}

// Has tells whether the stream goes to a form; a stream that was never begun would go to all.
func (v streamView) Has(form services.Form) bool {
	return len(v.Forms) == 0 || slices.Contains(v.Forms, form)
}

// slideTo is the highest rate of the slider; the number beside it goes up to lab.MostRate.
const slideTo = 200

func (s *Server) placePage(l *lab.Live, snapshot lab.Snapshot) placeView {
	flow := l.Flow()
	v := placeView{Unit: flow.Unit, What: flow.What, Default: defaultForm(l), Forms: l.Forms(), Stream: streamOf(l, snapshot)}
	recent, _ := l.Recent()
	v.Last, v.Square = lastOf(l, recent), squareOf(l, recent)
	return v
}

// defaultForm is the form for somebody who has not chosen one.
func defaultForm(l *lab.Live) services.Form {
	if forms := l.Forms(); !slices.Contains(forms, l.Flow().Default) {
		return forms[0]
	}
	return l.Flow().Default
}

func streamOf(l *lab.Live, snapshot lab.Snapshot) streamView {
	return streamView{
		Unit: l.Flow().Unit, Rate: snapshot.Stream.Rate, Set: cmp.Or(snapshot.Stream.Rate, 10), Forms: snapshot.Stream.Forms, All: l.Forms(),
		Most: lab.MostRate, MostSlide: slideTo,
	}
}

func (s *Server) placeFragments(l *lab.Live, snapshot lab.Snapshot, _ *url.URL) map[string]template.HTML {
	v := s.placePage(l, snapshot)
	parts := map[string]template.HTML{"stream-now": s.fragment("place.html", "stream-now", v.Stream), "last": s.fragment("place.html", "last", v.Last)}
	if v.Square != nil {
		parts["square"] = s.fragment("place.html", "square", v.Square)
	}
	return parts
}

// lastView are the last units, twins side by side.
type lastView struct {
	Unit    string
	Forms   []services.Form // those that any of them is in
	Twins   []twinsView
	LeftOut int // kept units that are not shown
}

// twinsView is one unit in each of the forms; nil: it was not placed in that one.
type twinsView struct {
	Number int
	In     []*lab.JourneyLine
}

func lastOf(l *lab.Live, recent []lab.JourneyLine) lastView {
	v := lastView{Unit: l.Flow().Unit}
	var numbers []int
	byKey := map[lab.UnitKey]*lab.JourneyLine{}
	for i := range recent {
		key := recent[i].Key
		if !slices.Contains(numbers, key.Number) {
			if len(numbers) == twinsShown {
				v.LeftOut++
				continue
			}
			numbers = append(numbers, key.Number)
		}
		byKey[key] = &recent[i]
	}
	for _, form := range l.Forms() {
		if slices.ContainsFunc(numbers, func(n int) bool { return byKey[lab.UnitKey{Form: form, Number: n}] != nil }) {
			v.Forms = append(v.Forms, form)
		}
	}
	for _, number := range numbers {
		twins := twinsView{Number: number}
		for _, form := range v.Forms {
			twins.In = append(twins.In, byKey[lab.UnitKey{Form: form, Number: number}])
		}
		v.Twins = append(v.Twins, twins)
	}
	return v
}

// squareView are the corners of a flow: calls or messages, answered when all is done or early.
type squareView struct {
	Unit string
	Rows []squareRow
}

type squareRow struct {
	Name  string
	Cells []cornerView
}

// cornerView is one corner, with medians of the kept units.
type cornerView struct {
	Form             services.Form
	N                int // kept units with an answer
	Wait, Completion *float64
}

func squareOf(l *lab.Live, recent []lab.JourneyLine) *squareView {
	corners, ok := cornersOf(l)
	if !ok {
		return nil
	}
	corner := func(form services.Form) cornerView {
		v := cornerView{Form: form}
		var waits, completions []float64
		for _, line := range recent {
			if line.Key.Form == form && line.WaitMS != nil {
				v.N++
				waits = append(waits, *line.WaitMS)
			}
			if line.Key.Form == form && line.CompletionMS != nil {
				completions = append(completions, *line.CompletionMS)
			}
		}
		v.Wait, v.Completion = median(waits), median(completions)
		return v
	}
	return &squareView{Unit: l.Flow().Unit, Rows: []squareRow{
		{"Calls", []cornerView{corner(corners.Calls), corner(corners.Ack)}},
		{"Messages", []cornerView{corner(corners.Reply), corner(corners.Messages)}},
	}}
}

// cornersOf are the corners, when units can be placed in all of them.
func cornersOf(l *lab.Live) (flows.Corners, bool) {
	_, corners, err := l.Flow().WithCorners()
	if err != nil {
		return corners, false
	}
	have := l.Forms()
	return corners, !slices.ContainsFunc(corners.Forms(), func(form services.Form) bool { return !slices.Contains(have, form) })
}

// median is nil for no values. It sorts them.
func median(values []float64) *float64 {
	n := len(values)
	if n == 0 {
		return nil
	}
	slices.Sort(values)
	m := (values[(n-1)/2] + values[n/2]) / 2
	return &m
}

// place places one unit: in one form, in all of them, or in the corners.
func (s *Server) place(w http.ResponseWriter, r *http.Request, l *lab.Live) {
	var forms []services.Form
	switch name := r.PostForm.Get("form"); name {
	case "all":
		forms = l.Forms()
	case "corners":
		corners, ok := cornersOf(l)
		if !ok {
			s.refuse(w, r, http.StatusUnprocessableEntity, errors.New("this lab does not have all four corners: place in single forms"))
			return
		}
		forms = corners.Forms()
	default:
		forms = []services.Form{services.Form(name)}
	}
	placed, err := l.Place(r.Context(), forms...)
	if err != nil {
		s.refuse(w, r, http.StatusUnprocessableEntity, helpful(err))
		return
	}
	snapshot := l.Snapshot()
	s.done(w, r, "/#last", answer{Say: placedText(l.Flow().Unit, placed), Parts: s.placeFragments(l, snapshot, nil)})
}

// placedText says what came of the twins.
func placedText(unit string, placed []lab.Placed) string {
	if len(placed) == 0 {
		return ""
	}
	told := make([]string, len(placed))
	for i, p := range placed {
		wait := float64(p.CallerWait) / 1e6
		answered := fmt.Sprintf("answered %d", p.Status)
		if p.Status == 0 {
			answered = "no answer"
		}
		told[i] = fmt.Sprintf("%s: %s after %s", p.Key.Form, answered, msText(&wait))
	}
	return fmt.Sprintf("%s %d: %s", capital(unit), placed[0].Key.Number, strings.Join(told, "; "))
}

// stream begins, changes or ends the stream.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, l *lab.Live) {
	stream, err := readStream(r, l)
	if err == nil {
		err = l.SetStream(stream)
	}
	if err == nil {
		say := "The stream has ended."
		if stream.Rate > 0 {
			say = fmt.Sprintf("A stream of %s %s/s.", number(stream.Rate), vocabulary.Plural(l.Flow().Unit))
		}
		parts := s.placeFragments(l, l.Snapshot(), nil)
		parts["stream-wrong"] = ""
		s.done(w, r, "/#stream", answer{Say: say, Parts: parts})
		return
	}
	why := helpful(err).Error()
	if wantsJSON(r) {
		s.answerJSON(w, http.StatusUnprocessableEntity, answer{Say: why, Wrong: true, Parts: map[string]template.HTML{"stream-wrong": s.fragment("place.html", "wrong", why)}})
		return
	}
	v := s.placePage(l, l.Snapshot())
	v.Stream.Wrong, v.Stream.Typed, v.Stream.Forms = why, r.PostForm.Get("rate"), stream.Forms
	s.render(w, r, http.StatusUnprocessableEntity, "place.html", "Place", v)
}

// readStream reads what was typed about a stream.
func readStream(r *http.Request, l *lab.Live) (lab.Stream, error) {
	var stream lab.Stream
	for _, name := range r.PostForm["form"] {
		form := services.Form(name)
		if !slices.Contains(l.Forms(), form) {
			return stream, &vocabulary.UnknownError{What: "form of this lab", Word: name, Known: names(l.Forms())}
		}
		stream.Forms = append(stream.Forms, form)
	}
	if r.PostForm.Get("do") == "stop" {
		return lab.Stream{Forms: l.Stream().Forms}, nil
	}
	text := strings.TrimSpace(r.PostForm.Get("rate"))
	rate, err := strconv.ParseFloat(text, 64)
	if err != nil || rate != 0 && !(rate >= lab.LeastRate && rate <= lab.MostRate) {
		return stream, fmt.Errorf("rate %q: use a number from %v to %d, or 0 for no stream", clip(text, nameLimit), lab.LeastRate, lab.MostRate)
	}
	if rate > 0 && len(stream.Forms) == 0 {
		return stream, errors.New("no form is chosen: choose one or more")
	}
	stream.Rate = rate
	return stream, nil
}
