package page

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/journey"
	"tracelab/lab"
	"tracelab/services"
)

// Limits of the journeys that a prediction is made from.
const (
	maxPredictedFrom  = 60
	maxPredictedSpans = 20_000
)

// journeyPath is the address of a journey's page.
func journeyPath(key lab.UnitKey) string {
	return fmt.Sprintf("/journeys/%s/%d", url.PathEscape(string(key.Form)), key.Number)
}

// keyOf reads a form and a number of a journey's address; false for what is no number.
func keyOf(form, number string) (lab.UnitKey, bool) {
	n, err := strconv.Atoi(number)
	return lab.UnitKey{Form: services.Form(form), Number: n}, err == nil && n >= 0 && strconv.Itoa(n) == number // each has one address
}

func (s *Server) showJourney(w http.ResponseWriter, r *http.Request, l *lab.Live) {
	k, _, ok := s.known(l, r.PathValue("form"), r.PathValue("number"))
	if !ok {
		s.noJourney(w, r, l)
		return
	}
	if err := checkJourneyQuery(l, r.URL.Query()); err != nil {
		s.refuseQuery(w, r, err)
		return
	}
	title := fmt.Sprintf("%s %d in %s", k.Unit, k.Number, k.Form)
	s.render(w, r, http.StatusOK, "journey.html", title, newJourneyPage(k, readJourneyQuery(r.URL.Query())))
}

// noJourney says that a journey is not kept.
func (s *Server) noJourney(w http.ResponseWriter, r *http.Request, l *lab.Live) {
	list, leftOut := l.Recent()
	s.render(w, r, http.StatusNotFound, "journey_gone.html", "Not kept", map[string]string{
		"Form": clip(r.PathValue("form"), nameLimit), "Number": clip(r.PathValue("number"), nameLimit), "Why": goneWords(l.Flow().Unit, len(list), leftOut),
	})
}

// known is what the lab knows of one unit now, and whether nothing more is expected of what its page may show.
func (s *Server) known(l *lab.Live, form, number string) (k knownJourney, final, ok bool) {
	key, ok := keyOf(form, number)
	if !ok {
		return k, false, false
	}
	live, ok := l.Journey(key)
	if !ok {
		return k, false, false
	}
	k = knownJourney{
		Unit: l.Flow().Unit, Form: form, Number: key.Number, State: live.State, Incomplete: live.Incomplete, Final: live.Final, Journey: live.Journey, Jaeger: l.Where().Jaeger, Program: s.config.Program,
		Unanswered: drawnOf(live).Unanswered, Error: drawnOf(live).Error,
		Of: func(form string) []*journey.Journey { return journeysIn(l, form) },
	}
	k.Came, _ = l.OTLP(key)
	final = live.Final
	for _, f := range l.Forms() {
		k.Forms = append(k.Forms, string(f))
		if f == key.Form {
			continue
		}
		if twin, kept := l.Journey(lab.UnitKey{Form: f, Number: key.Number}); kept && twin.Journey != nil {
			k.Twins = append(k.Twins, drawnOf(twin))
			final = final && twin.Final
		}
	}
	return k, final, true
}

// journeysIn returns complete journeys of a form, the newest first, as many as a prediction is made from.
func journeysIn(l *lab.Live, form string) []*journey.Journey {
	var list []*journey.Journey
	lines, _ := l.Recent()
	spans := 0
	for _, line := range lines {
		if string(line.Key.Form) != form || !line.Final || line.Incomplete != "" || line.State != lab.StateCompleted || spans+line.Spans > maxPredictedSpans {
			continue
		}
		if live, ok := l.Journey(line.Key); ok && live.Journey != nil {
			list = append(list, live.Journey)
			spans += line.Spans
		}
		if len(list) == maxPredictedFrom {
			break
		}
	}
	return list
}

// giveJourney gives a journey as the file that `tracelab journey` reads.
func (s *Server) giveJourney(w http.ResponseWriter, r *http.Request, l *lab.Live) {
	key, ok := keyOf(r.PathValue("form"), r.PathValue("number"))
	if ok {
		var came ptrace.Traces
		if came, ok = l.OTLP(key); ok {
			s.giveTraces(w, r, fileOf(string(key.Form), key.Number), came)
			return
		}
	}
	s.noJourney(w, r, l)
}

func (s *Server) giveTraces(w http.ResponseWriter, r *http.Request, name string, came ptrace.Traces) {
	document, err := (&ptrace.JSONMarshaler{}).MarshalTraces(came)
	if err != nil {
		s.refuse(w, r, http.StatusInternalServerError, fmt.Errorf("encode the spans: %w", err))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name))
	_, _ = bytes.NewReader(append(document, '\n')).WriteTo(w) // who has gone away needs no file
}

// mostFinals is how many live parts of final journeys are kept.
const mostFinals = 32

// finalPages keeps the live parts of journeys that are final, so that a stream of events does not draw them again and again.
type finalPages struct {
	mu    sync.Mutex
	pages map[string]template.HTML
}

// get returns the part that is kept under a key, or makes it; keep tells whether it will stay as it is.
func (f *finalPages) get(key string, create func() (part template.HTML, keep bool)) template.HTML {
	f.mu.Lock()
	part, ok := f.pages[key]
	f.mu.Unlock()
	if ok {
		return part
	}
	part, keep := create()
	if keep {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.pages == nil || len(f.pages) >= mostFinals {
			f.pages = map[string]template.HTML{}
		}
		f.pages[key] = part
	}
	return part
}

// journeyFragments are the live parts of the page of one journey; none when it is not kept.
func (s *Server) journeyFragments(l *lab.Live, at *url.URL) map[string]template.HTML {
	form, number, ok := strings.Cut(strings.TrimPrefix(at.Path, "/journeys/"), "/")
	key, isKey := keyOf(form, number)
	if !ok || !isKey {
		return nil
	}
	line, ok := l.Line(key)
	if !ok {
		return nil
	}
	q := readJourneyQuery(at.Query())
	if q.Tab == tabPrediction { // it rests on other journeys, which come and go
		return nil
	}
	part := s.finals.get(fmt.Sprint(at.String(), " ", line.Trace, " ", line.Spans), func() (template.HTML, bool) {
		k, final, kept := s.known(l, form, number)
		if !kept {
			return "", false
		}
		return s.fragment("journey.html", "journey", newJourneyPage(k, q)), final
	})
	if part == "" {
		return nil
	}
	return map[string]template.HTML{"journey": part}
}
