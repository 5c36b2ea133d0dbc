package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"

	"tracelab/internal/hint"
	"tracelab/journey"
	"tracelab/journey/format"
	"tracelab/journey/report"
	"tracelab/lab"
	"tracelab/lab/rundir"
	"tracelab/services"
	"tracelab/services/faults"
	"tracelab/services/flows"
)

// hopsWidth is how wide the text is.
const hopsWidth = 80

// hopsView is what has been seen of a unit's hops so far.
type hopsView struct {
	flow    *flows.Flow
	command *hopsCommand
	faults  []faults.Fault
	report  hopsReport
	texts   map[string]report.HopHeaders // by the hop's ends
	hops    map[string]hopLine
	order   []string // of the hops, as they are printed
	printed int
}

func newHopsView(flow *flows.Flow, form services.Form, c *hopsCommand, injected []faults.Fault) *hopsView {
	return &hopsView{flow: flow, command: c, faults: injected, texts: map[string]report.HopHeaders{}, hops: map[string]hopLine{},
		report: hopsReport{Schema: "tracelab.hops/v1", Flow: flow.Name, Form: string(form), Hops: []hopLine{}, Traces: []string{}, Next: []string{}}}
}

// take takes what is known now. A hop whose receiver is not seen may still be: it counts at the end only. In the end hops are in the order of their time.
func (v *hopsView) take(now lab.LiveJourney, final bool) {
	r := &v.report
	r.State, r.Status, r.Error, r.CallerWait, r.Completion, r.Spans = now.State, now.Status, now.Error, now.WaitMS, now.CompletionMS, now.Spans
	if final {
		r.Incomplete = now.Incomplete
	}
	if now.Journey == nil {
		return
	}
	r.Traces = append(r.Traces[:0], tracesOf(now.Journey)...)
	var fresh []string
	for _, hop := range report.HeadersOf(now.Journey) {
		if hop.To < 0 && !final {
			continue
		}
		key := hopKey(now.Journey, hop)
		if _, known := v.hops[key]; !known {
			fresh = append(fresh, key)
		}
		v.hops[key], v.texts[key] = lineOf(now.Journey, hop), hop
	}
	if final {
		fresh = append(fresh, v.goOn(now.Journey)...)
	}
	slices.SortStableFunc(fresh, func(a, b string) int { return cmp.Compare(v.hops[a].At, v.hops[b].At) })
	v.order = append(v.order, fresh...)
	if final {
		v.finish()
	}
}

func hopKey(j *journey.Journey, hop report.HopHeaders) string {
	key := j.Set().Span(hop.From).ID.String()
	if hop.To >= 0 {
		key += j.Set().Span(hop.To).ID.String()
	}
	return key
}

// finish puts the hops into the report, with what to look at next.
func (v *hopsView) finish() {
	v.report.Hops = v.report.Hops[:0]
	byTime := slices.Clone(v.order)
	slices.SortStableFunc(byTime, func(a, b string) int { return cmp.Compare(v.hops[a].At, v.hops[b].At) })
	for _, key := range byTime {
		v.report.Hops = append(v.report.Hops, v.hops[key])
	}
	v.report.Next = v.next()
}

// next lists command lines that go on from here.
func (v *hopsView) next() []string {
	program := hint.Program(os.Args[0])
	flow := ""
	if v.command.Flow != "order" {
		flow = " --flow " + v.command.Flow
	}
	var list []string
	for _, form := range v.flow.DefaultForms() {
		if string(form) != v.report.Form {
			list = append(list, fmt.Sprintf("%s hops%s --form %s", program, flow, form))
			break
		}
	}
	if len(v.command.Fault) == 0 {
		list = append(list, fmt.Sprintf("%s hops%s --form %s --fault %s:drop-context", program, flow, v.report.Form, v.flow.Entry().Service()))
	}
	return append(list, fmt.Sprintf("%s up%s", program, flow))
}

// begin prints the head.
func (v *hopsView) begin(s *streams) error {
	if err := s.say("One %s, form %s, hop by hop: + joined here, ~ changed, - left behind", v.flow.Unit, v.report.Form); err != nil {
		return err
	}
	return s.say("%s", rundir.Provenance{BrokerIs: v.report.Broker, Stores: v.report.Stores}.Parts())
}

// print prints the hops that were not printed yet.
func (v *hopsView) print(s *streams) error {
	for ; v.printed < len(v.order); v.printed++ {
		key := v.order[v.printed]
		if err := s.say("\n%s", strings.Join(v.hopText(v.printed+1, v.hops[key], v.texts[key]), "\n")); err != nil {
			return err
		}
	}
	return nil
}

// hopText is one hop in lines of no more than hopsWidth: traceparent first, then what of the lists has changed, then the others.
func (v *hopsView) hopText(n int, hop hopLine, headers report.HopHeaders) []string {
	to := "?"
	if hop.To != nil {
		to = hop.To.Service
	}
	lines := wrapped(fmt.Sprintf("%2d  ", n), fmt.Sprintf("%s → %s, at %s", format.Escape(hop.From.Service), format.Escape(to), format.Nanoseconds(hop.At*1e6)), "    ")
	lines = append(lines, wrapped("    ", "by "+format.Escape(hop.What), "      ")...)
	byName := map[string][]report.HeaderLine{}
	var names []string
	for _, line := range headers.Lines {
		if line.Name != "" {
			names = append(names, line.Name)
		}
		if line.Value != "" || line.Mark != "" { // else it is a name alone
			byName[names[len(names)-1]] = append(byName[names[len(names)-1]], line)
		}
	}
	first := []string{"traceparent", "tracestate", "baggage"}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(placeIn(first, a), placeIn(first, b)) })
	for _, name := range names {
		lines = append(lines, headerText(name, byName[name], n == 1)...)
	}
	return append(lines, v.verdict(hop)...)
}

// placeIn is the place of a word in a list; behind all when it is not there.
func placeIn(list []string, word string) int {
	if i := slices.Index(list, word); i >= 0 {
		return i
	}
	return len(list)
}

// headerText is one header: of a list, the members that have changed and the number of the others; of the first hop, all.
func headerText(name string, members []report.HeaderLine, all bool) (lines []string) {
	const indent = "                  "
	head, same := fmt.Sprintf("    %-14s", name), 0
	add := func(text string) {
		lines = append(lines, wrapped(head, text, indent)...)
		head = indent
	}
	for _, line := range members {
		if line.Mark == "" && name == "baggage" && !all {
			same++
			continue
		}
		add(strings.TrimSpace(line.Mark + " " + line.Value))
		if line.Note != "" && name != "baggage" {
			add(line.Note)
		}
	}
	if same > 0 {
		add(fmt.Sprintf("%d members as before", same))
	}
	return lines
}

// verdict says whether what was read is what was written.
func (v *hopsView) verdict(hop hopLine) (lines []string) {
	for _, note := range hop.Notes {
		lines = append(lines, wrapped("    ! ", note, "      ")...)
	}
	if len(hop.Notes) > 0 {
		return lines
	}
	switch {
	case hop.To == nil:
		return []string{"    the other side is not seen"}
	case len(hop.Wrote) == 0 || len(hop.Read) == 0:
		return []string{"    one side kept no headers"}
	}
	return []string{"    read as it was written"}
}

// wrapped is a text behind a head, in lines of no more than hopsWidth; what is too long for one is cut at any place.
func wrapped(head, text, indent string) []string {
	var lines []string
	line := []rune(head + text)
	for len(line) > hopsWidth {
		cut := hopsWidth
		if blank := strings.LastIndex(string(line[:hopsWidth]), " "); blank > len(indent)+20 {
			cut = len([]rune(string(line)[:blank]))
		}
		lines = append(lines, strings.TrimRight(string(line[:cut]), " "))
		line = []rune(indent + strings.TrimLeft(string(line[cut:]), " "))
	}
	return append(lines, string(line))
}

// end prints what came of it, and what to look at next.
func (v *hopsView) end(s *streams) error {
	r := v.report
	parts := []string{r.State}
	if r.CallerWait != nil {
		parts = append(parts, "caller wait "+format.Nanoseconds(*r.CallerWait*1e6))
	}
	if r.Completion != nil {
		parts = append(parts, "completion "+format.Nanoseconds(*r.Completion*1e6))
	}
	if r.Error != "" {
		parts = append(parts, "the client was told "+format.Escape(r.Error))
	}
	traces := "1 trace"
	if len(r.Traces) != 1 {
		traces = fmt.Sprintf("%d traces", len(r.Traces))
	}
	parts = append(parts, fmt.Sprintf("%d spans in %s", r.Spans, traces))
	lines := append([]string{""}, wrapped("", strings.Join(parts, ", "), "  ")...)
	if r.Incomplete != "" {
		lines = append(lines, wrapped("", "incomplete: "+r.Incomplete, "  ")...)
	}
	lines = append(lines, "", "Next:")
	for _, next := range r.Next {
		lines = append(lines, "  "+next)
	}
	return s.say("%s", strings.Join(lines, "\n"))
}
