package doctor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tracelab/journey"
	"tracelab/journey/source"
	"tracelab/journey/source/jaeger"
	"tracelab/services"
	"tracelab/services/flows"
)

// How long spans may take to reach Jaeger: they wait about a second in each queue on the way.
const (
	deliveryWithin = 12 * time.Second
	traceWithin    = 15 * time.Second
)

// jaegerPart is the Jaeger of a lab.
type jaegerPart struct {
	address string       // as it was named
	store   jaeger.Store // nil without an address
}

// jaegerAnswers asks for a trace that does not exist: the answer shows that this is Jaeger's query API, and can read its storage.
func (p *parts) jaegerAnswers(ctx context.Context) (_ nothing, seen string, _ error) {
	if p.config.JaegerHealth != "" {
		if _, err := get(ctx, p.http, withPath(p.config.JaegerHealth, healthPath)); err != nil {
			return nothing{}, "", brokenHop("start Jaeger, or name the URL of its health with --jaeger-health; its log names the component that is not well", "%s", err.Error())
		}
	}
	if _, err := p.jaeger.store.Trace(ctx, journey.TraceID{15: 1}); err != nil && !errors.Is(err, source.ErrNotStored) {
		return nothing{}, "", p.jaeger.broken(err)
	}
	return nothing{}, "its query API answers at " + p.config.Jaeger, nil
}

// broken says what is wrong with a Jaeger whose query API does not answer, and what to do.
func (j jaegerPart) broken(err error) error {
	fix := "start Jaeger, or name the URL of its query service with --jaeger"
	found, ok := errors.AsType[*jaeger.Error](err)
	if !ok {
		return brokenHop(fix, "%s", err.Error())
	}
	switch found.Kind {
	case jaeger.NotJaeger:
		fix = "this is not Jaeger's query API: give its URL with --jaeger (port 16686), with its base path if it has one"
	case jaeger.Failed, jaeger.Slow:
		fix = "look at Jaeger's log: its storage may not answer"
	case jaeger.Refused:
		fix = "something in front of Jaeger asks for credentials: give --jaeger an address that needs none"
	default:
	}
	return brokenHop(fix, "%s: %s: %s", j.address, found.Kind, strings.TrimPrefix(inWords(found.Err).Error(), found.Address+": "))
}

// delivered waits until Jaeger has the span that the OTLP endpoint took.
func (p *parts) delivered(ctx context.Context, sent *placed) (_ nothing, seen string, _ error) {
	err := until(ctx, func(ctx context.Context) error { _, err := p.jaeger.store.Trace(ctx, sent.trace); return err })
	switch {
	case errors.Is(err, source.ErrNotStored):
		return nothing{}, "", brokenHop("the collector sends the spans elsewhere, or drops them: compare COLLECTOR_JAEGER in its environment with --jaeger; "+
			"with tail sampling, a trace may be dropped on purpose: try again, or without it",
			"%s took the span of trace %s %v ago, and Jaeger does not have it", p.config.OTLP[0], sent.trace, time.Since(sent.at).Round(time.Second))
	case err != nil:
		return nothing{}, "", p.jaeger.broken(err)
	}
	return nothing{}, fmt.Sprintf("trace %s came within %v", sent.trace, time.Since(sent.at).Round(time.Millisecond)), nil
}

// expectation is a span that the trace of an order must have.
type expectation struct {
	service string
	step    services.Step // "" for the spans of the doctor and of the gateway
	hop     string        // how the order got there, in words
	batch   bool          // the message was handled with others: in a trace that links to the order's
}

// expectations lists the spans of an order, in the order of the flow.
func expectations(f *flows.Flow, form services.Form) ([]expectation, error) {
	plan, err := planOf(f, form)
	if err != nil {
		return nil, err
	}
	expected := []expectation{{service: service, hop: "the doctor itself"}, {service: services.Gateway, hop: "from the doctor to gateway over HTTP"}}
	for _, hop := range plan.Hops {
		x := expectation{service: hop.Step.Service(), step: hop.Step}
		switch {
		case hop.By.IsMessage():
			x.hop = fmt.Sprintf("from %s to %s by a message on %s", hop.After[0].Service(), x.service, hop.Topic)
			if _, x.batch = f.BatchOf(form, hop.By, x.service, hop.Topic); x.batch {
				x.hop += ", in a batch"
			}
		case hop.By == flows.GraphQL:
			x.hop = fmt.Sprintf("from %s to %s over GRPC, for a field of a query", plan.Holder(hop.After[0]).Service(), x.service)
		case hop.By == flows.Local:
			x.hop = "within " + x.service
		default:
			from := services.Gateway
			if len(hop.After) > 0 {
				from = plan.Holder(hop.After[0]).Service() // makes the calls
			}
			x.hop = fmt.Sprintf("from %s to %s over %s", from, x.service, strings.ToUpper(string(hop.By)))
		}
		expected = append(expected, x)
	}
	return expected, nil
}

// has tells whether one of the spans is the expected one.
func (x expectation) has(spans []journey.Span) bool {
	return slices.ContainsFunc(spans, func(s journey.Span) bool {
		return s.Service == x.service && (x.step == "" || s.Name == string(x.step))
	})
}

// trace waits until Jaeger has the whole trace of an order. If spans stay missing, it finds out which service's spans do not
// arrive, or which hop has lost the context.
func (p *parts) trace(ctx context.Context, o *placed) (_ nothing, seen string, _ error) {
	var spans []journey.Span
	var missing []expectation
	expected, err := expectations(p.config.flow(), o.form)
	if err != nil {
		return nothing{}, "", err
	}
	waiting, cancel := withSpare(ctx)
	defer cancel()
	err = until(waiting, func(ctx context.Context) error {
		result, err := p.jaeger.store.Trace(ctx, o.trace)
		if err != nil && !errors.Is(err, source.ErrNotStored) {
			return err
		}
		if spans, err = p.withBatches(ctx, o, expected, result.Spans); err != nil {
			return err
		}
		missing = slices.DeleteFunc(slices.Clone(expected), func(x expectation) bool { return x.has(spans) })
		if len(missing) > 0 {
			return errIncomplete
		}
		return nil
	})
	switch {
	case errors.Is(err, errIncomplete):
		return nothing{}, "", p.explain(ctx, o, spans, missing)
	case err != nil:
		return nothing{}, "", p.jaeger.broken(err)
	}
	by, traces := map[string]bool{}, map[journey.TraceID]bool{}
	for _, s := range spans {
		by[s.Service], traces[s.Trace] = true, true
	}
	seen = fmt.Sprintf("%d spans of %s", len(spans), commas(slices.Sorted(maps.Keys(by))))
	if len(traces) > 1 {
		seen += fmt.Sprintf(" in %d traces, of a batch and what links to it", len(traces))
	}
	return nothing{}, seen + ": " + p.jaeger.link(o.trace), nil
}

var errIncomplete = errors.New("spans are missing")

// link returns the URL of a trace's page in the Jaeger UI, or words where no page is known.
func (j jaegerPart) link(id journey.TraceID) string {
	if strings.HasPrefix(j.address, "http") {
		return trimSlash(j.address) + "/trace/" + id.String()
	}
	return "trace " + id.String()
}

// explain says at which hop a trace breaks off, and what to do.
func (p *parts) explain(ctx context.Context, o *placed, spans []journey.Span, missing []expectation) error {
	x := missing[0]
	if x.service == service && len(spans) > 0 {
		return brokenHop("check the log of the collector: it accepted the span", "Jaeger has the trace, but not its root, which %s accepted: %s", p.config.OTLP[0], p.jaeger.link(o.trace))
	}
	elsewhere, err := p.elsewhere(ctx, o, x)
	if err != nil {
		return p.jaeger.broken(err)
	}
	if elsewhere != nil {
		fix := fmt.Sprintf("the context is lost on the way %s: the propagator and the instrumentation must be there on both sides, and nothing between may drop the headers traceparent and baggage", x.hop)
		if x.batch {
			fix = fmt.Sprintf("the context is lost on the way %s: the process span of a batch must link to every message in it, and the propagator must be there on both sides", x.hop)
			return brokenHop(fix, "%s: the span %s of %s is in a trace without a link to the order's, %s: %s", x.hop, elsewhere.Name, x.service, o.trace, p.jaeger.link(elsewhere.Trace))
		}
		return brokenHop(fix, "%s: the span %s of %s is in another trace, %s, not in the order's, %s", x.hop, elsewhere.Name, x.service, p.jaeger.link(elsewhere.Trace), o.trace)
	}
	return p.notArrived(o, spans, missing)
}

// notArrived says what to do about a service that worked on the order, but of which spans are missing in Jaeger.
func (p *parts) notArrived(o *placed, spans []journey.Span, missing []expectation) error {
	x := missing[0]
	var names []string
	for _, m := range missing {
		if !slices.Contains(names, m.service) {
			names = append(names, m.service)
		}
	}
	fix := fmt.Sprintf("look at how %s is started: --otlp must name the collector's address (here %s); its log says when it has no endpoint, and when it drops spans because nothing answers there",
		x.service, p.config.OTLP[0])
	if slices.ContainsFunc(spans, func(s journey.Span) bool { return s.Service == x.service }) {
		return brokenHop(fmt.Sprintf("look at the log of %s, and at what the collector and Jaeger have refused or dropped", x.service),
			"Jaeger has spans of %s, but not its span %s: %s", x.service, x.step, p.jaeger.link(o.trace))
	}
	if len(names) >= len(p.config.flow().Services()) {
		return brokenHop(fix, "Jaeger has no span of any service for order %s", o.id)
	}
	return brokenHop(fix, "%s worked on order %s, but Jaeger has no span of it (missing: %s): %s", x.service, o.id, commas(names), p.jaeger.link(o.trace))
}

// elsewhere looks for an expected span in other traces: by the order's baggage, and, if that was lost, too, by name among
// the spans since the order was placed. It returns nil when there is none.
func (p *parts) elsewhere(ctx context.Context, o *placed, x expectation) (*journey.Span, error) {
	spans, err := p.search(ctx, o, x)
	if err != nil {
		return nil, err
	}
	carries := func(s *journey.Span, key, want string) bool { v, ok := s.Attr(key); return ok && v.String() == want }
	for i := range spans {
		s := &spans[i]
		if s.Service != x.service || s.Name != x.name(p.config.flow()) || s.Trace == o.trace || s.Start < o.at.UnixNano() {
			continue
		}
		_, ofAnyRun := s.Attr(services.KeyRun)
		if carries(s, services.KeyRun, p.probe.run) && carries(s, services.KeyForm, string(o.form)) || !ofAnyRun {
			return s, nil
		}
	}
	return nil, nil //nolint:nilnil // there is none, and nothing is wrong
}

// name is that of the expected span.
func (x expectation) name(f *flows.Flow) string {
	if x.service == services.Gateway {
		return "POST " + f.Path
	}
	return string(x.step)
}

// search returns the traces since the order was placed that have a span of the service and name that is expected.
func (p *parts) search(ctx context.Context, o *placed, x expectation) ([]journey.Span, error) {
	q := source.Query{Service: x.service, Operation: x.name(p.config.flow()), Start: o.at.Add(-time.Second), End: time.Now().Add(time.Second), Limit: 100}
	result, err := p.jaeger.store.Search(ctx, q)
	return result.Spans, err
}
