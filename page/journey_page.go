package page

import (
	"cmp"
	"fmt"
	"slices"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/journey"
	"tracelab/lab"
	"tracelab/services"
)

// knownJourney is what the page of one journey is made from.
type knownJourney struct {
	Unit       string // what the flow's unit is called
	Form       string
	Number     int
	State      string
	Incomplete string
	Final      bool             // no more spans are expected
	Unanswered bool             // its caller got no answer
	Error      int              // as of a drawnJourney
	Journey    *journey.Journey // nil: its caller's span is missing
	Came       ptrace.Traces    // its spans as they came
	Twins      []drawnJourney   // of the other forms of the unit that are kept, in the order of the flow
	Jaeger     string           // address of a Jaeger, or ""
	Program    string           // how the program was called
	// Of returns the journeys of a form that are kept, at most so many that a prediction from them takes no time to speak of.
	Of    func(form string) []*journey.Journey
	Forms []string // that units can be placed in
}

// journeyPage is what the template "journey" shows.
type journeyPage struct {
	Unit, Form, State, Color, Incomplete, Waiting string
	Number                                        int
	Tab                                           string
	Tabs                                          []choice
	Twins                                         []choice
	Pictures                                      picturesView
	Span                                          *spanView
	Paths                                         []pathView
	Hops                                          hopsView
	Behind                                        behindView
	Findings                                      findingsView
	Targets                                       []choice
	Prediction                                    *predictionView
	Jaeger                                        []jaegerLink
	Download, File, Program                       string
	Missing                                       string // what of the journey the file does not have
}

// choice is a link of a row of links, one of which is current.
type choice struct {
	Name, Href, Color string
	Current           bool
}

type jaegerLink struct{ Name, Href string }

// maxJaegerLinks bounds the traces that have a link each.
const maxJaegerLinks = 10

// newJourneyPage makes the page that a URL asks for.
func newJourneyPage(k knownJourney, q journeyQuery) journeyPage {
	p := journeyPage{
		Unit: k.Unit, Form: k.Form, State: k.State, Color: formColor(services.Form(k.Form)), Incomplete: clip(k.Incomplete, headerLimit), Number: k.Number, Tab: q.Tab,
		Program: cmp.Or(k.Program, "tracelab"), File: fileOf(k.Form, k.Number),
	}
	if k.Journey == nil {
		p.Waiting = "No picture yet: the span of its caller has not come. It comes with the answer."
		return p
	}
	p.Download = fmt.Sprintf("/journeys/%s/%d/otlp.json", k.Form, k.Number)
	if missing := missingIn(k); missing > 0 {
		p.Missing = fmt.Sprintf("without %d spans that handled messages of several units", missing)
	}
	drawn := []drawnJourney{{k.Form, k.Journey, k.Incomplete != "", k.Unanswered, k.Error}}
	q.With = chosenTwins(k, q)
	for _, t := range k.Twins {
		on := slices.Contains(q.With, t.Form)
		p.Twins = append(p.Twins, choice{t.Form, q.toggled(t.Form), formColor(services.Form(t.Form)), on})
		if on {
			drawn = append(drawn, t)
		}
	}
	p.Pictures = draw(drawn, q)
	p.Findings = findingsOf(k.Journey, q)
	p.addTabs(q)
	p.addJaeger(k)
	switch q.Tab {
	case tabSpans:
		p.Paths = pathsOf(k.Journey)
		p.addSpan(k, drawn, q)
	case tabHeaders:
		p.Hops = hopsOf(k.Journey, journey.SpanID{}, maxHops)
	case tabPrediction:
		p.addPrediction(k, q)
	}
	p.addBehind(k, q)
	return p
}

// missingIn is how many spans of a journey did not come by themselves, but in batches that several units share.
func missingIn(k knownJourney) int {
	if k.Came == (ptrace.Traces{}) {
		return 0
	}
	return k.Journey.Len() - k.Came.SpanCount()
}

// fileOf is the name of a journey's file. A form's name is of letters, digits and dashes.
func fileOf(form string, number int) string { return fmt.Sprintf("%s-%d.otlp.json", form, number) }

// chosenTwins are the twins that are drawn: as the URL says, else one of another kind than the journey's own.
func chosenTwins(k knownJourney, q journeyQuery) []string {
	if q.Said || len(k.Twins) == 0 {
		return q.With
	}
	early := func(j *journey.Journey) bool { return meaningOf(drawnJourney{Of: j}).Early }
	for _, t := range k.Twins {
		if early(t.Of) != early(k.Journey) {
			return []string{t.Form}
		}
	}
	return []string{k.Twins[0].Form}
}

func (p *journeyPage) addTabs(q journeyQuery) {
	findings := "Lint"
	if p.Findings.N > 0 {
		findings = fmt.Sprintf("Lint (%d)", p.Findings.N)
	}
	for _, t := range [][2]string{{tabSpans, "Time axis"}, {tabHeaders, "What crossed each hop"}, {tabFindings, findings}, {tabPrediction, "Prediction"}} {
		p.Tabs = append(p.Tabs, choice{Name: t[1], Href: q.withTab(t[0]), Current: q.Tab == t[0]})
	}
}

func (p *journeyPage) addSpan(k knownJourney, drawn []drawnJourney, q journeyQuery) {
	if q.Span.IsZero() {
		return
	}
	for _, d := range drawn {
		came := k.Came
		if d.Of != k.Journey {
			came = ptrace.Traces{}
		}
		if p.Span = spanOf(d, q, came, k.Jaeger); p.Span != nil {
			return
		}
	}
}

func (p *journeyPage) addJaeger(k knownJourney) {
	traces := k.Journey.Traces()
	for n, t := range traces {
		href := lab.TraceURL(k.Jaeger, t)
		if href == "" || n == maxJaegerLinks {
			return
		}
		name := "Its trace in Jaeger"
		if len(traces) > 1 {
			name = fmt.Sprintf("Trace %d of %d in Jaeger", n+1, len(traces))
		}
		p.Jaeger = append(p.Jaeger, jaegerLink{name, href})
	}
}

func (p *journeyPage) addPrediction(k knownJourney, q journeyQuery) {
	to := ""
	if len(q.With) > 0 {
		to = q.With[0]
	}
	for _, form := range k.Forms {
		if form == k.Form {
			continue
		}
		if to == "" {
			to = form
		}
		other := q
		other.With, other.Said = []string{form}, true
		p.Targets = append(p.Targets, choice{form, other.address(), formColor(services.Form(form)), form == to})
	}
	if to == "" || k.Of == nil {
		return
	}
	v := predictionOf(drawnJourney{Form: k.Form, Of: k.Journey}, to, k.Of(k.Form), k.Of(to))
	p.Prediction = &v
}
