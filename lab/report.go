package lab

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"tracelab/journey"
	"tracelab/lab/rundir"
	"tracelab/services"
)

// report sums a run up, when nothing of it is left on its way.
func (r *running) report() (*Result, error) {
	j := r.judge
	result := &Result{
		Provenance: r.provenance(), Dir: filepath.Join(r.Out, r.name),
		Forms: map[services.Form]*FormResult{}, Warnings: []string{}, Problems: []string{}, medians: map[services.Form]*medianOrder{}, program: r.Program, flowFile: r.FlowFile,
		Shared: j.shared.count, Late: j.late, Foreign: j.foreign + r.leftOut(), Damaged: j.damaged, Sent: r.sendRest(), Skipped: r.undecodable,
	}
	for _, form := range r.Forms {
		f := j.formResult(form)
		f.Orders, f.Dropped, f.Marked = j.account(form, r.after.Forms[form]), r.env.dropped.of(r.name, form)+r.elsewhere[string(form)], result.Marked()
		f.Orders.Lost = r.lost(form)
		f.Faulted, f.Effects, f.Attempts, f.Staleness = r.faulted(form), r.effects(form), r.attempts(form), r.staleness(form)
		f.Calls = r.calls.Forms[form]
		result.Forms[form] = f
		var err error
		if result.medians[form], err = j.median(form, r.starved.times()); err != nil {
			return nil, err
		}
	}
	differences, warnings := j.compareForms(services.Form(result.Base))
	result.Comparisons = make([]Comparison, len(differences))
	for i, d := range differences {
		result.Comparisons[i] = Comparison{d, result.Marked()}
	}
	result.Square, result.Happened, result.Felt = r.square(result.Marked()), r.happened, r.felt()
	result.Warnings = append(append(r.warnings(result), r.silentCalls()...), warnings...)
	if r.env.links != nil {
		result.LinksUsed = r.env.links.Used()
	}
	r.reportProblems(result)
	if r.env.jaeger != nil {
		r.reportJaeger(result)
	}
	r.countSpans(result)
	return result, nil
}

// provenance is where the figures come from.
func (r *running) provenance() rundir.Provenance {
	p := rundir.Provenance{
		Schema: rundir.Schema, Run: r.name, Seed: r.Seed, Flow: r.Flow.Name, Topology: r.Flow.Name, Relation: r.relation(),
		Broker: r.env.broker, BrokerIs: r.env.brokerIs, Stores: r.env.stores, Machine: thisMachine(),
		Version: r.Version, Go: runtime.Version(), Rate: r.Rate, Surge: r.Surge.String(), Clients: r.Clients, ThinkMS: milliseconds(r.Think), Faults: []string{}, Target: r.Target, WarmUp: r.warmUpOrders(), WarmedUp: r.warm,
		Base: string(r.base()), EndedEarly: r.endedEarly(), WorkersOf: r.WorkersOf, Starvation: r.starved.result(), Generator: r.generator,
	}
	p.Partitions, p.Instances = r.Partitions, r.Instances
	if r.Flow.Unit != "order" {
		p.Unit = r.Flow.Unit
	}
	if r.Target != "" {
		p.Stores = "of the target"
	}
	for _, f := range r.Faults {
		p.Faults = append(p.Faults, f.String())
	}
	for _, e := range inTime(r.Events) {
		p.Events = append(p.Events, e.String())
	}
	for _, l := range r.Links {
		p.Links = append(p.Links, l.String())
	}
	for _, step := range r.Flow.Steps() {
		p.StepOrder = append(p.StepOrder, string(step))
	}
	for _, form := range r.Forms {
		p.FormOrder = append(p.FormOrder, string(form))
		if column, _ := r.Flow.Column(form); column.Callee {
			p.NestedForms = append(p.NestedForms, string(form))
		}
		if r.Flow.ViewOf(form) != nil {
			p.ViewForms = append(p.ViewForms, string(form))
		}
	}
	return p
}

// base is the form that the others are compared with: the one that was asked for, else grpc, the plain call, else the first.
func (r *running) base() services.Form {
	if r.Base == "" && slices.Contains(r.Forms, services.GRPC) {
		return services.GRPC
	}
	for _, form := range r.Forms {
		if r.Base == "" && r.Flow.ViewOf(form) == nil {
			return form
		}
	}
	return cmp.Or(r.Base, r.Forms[0])
}

// countSpans notes the sum started = exported + dropped and what is wrong with it.
func (r *running) countSpans(result *Result) {
	counts := r.env.queue.Counts()
	result.Spans = &counts
	lost := r.env.queue.Lost()
	if dropped := counts.Dropped - lost; dropped > 0 {
		result.Problems = append(result.Problems, count(int(dropped), "span was", "spans were")+" dropped")
	}
	if lost > 0 {
		r.tell(result, count(int(lost), "span was", "spans were")+" open in a service that was killed, and lost with it", r.ended(""))
	}
	if open := counts.Started - counts.Exported - counts.Dropped; open != 0 {
		result.Problems = append(result.Problems, count(int(open), "span was", "spans were")+" started and never ended")
	}
}

// warnings are what a reader must know to read the figures right.
func (r *running) warnings(result *Result) []string {
	texts := []string{}
	if g := result.Generator; g.Late() {
		texts = append(texts, fmt.Sprintf("the generator started %s late (p99 %.1f ms over %g ms at %g %[1]s/s): response times are partly its own; %[5]s",
			result.unit().many(), g.StartLagP99, float64(rundir.LateStart), g.Rate, rateAdvice(g, result.unit())))
	}
	if s := result.Starvation; s.Starved() {
		texts = append(texts, s.String()+": times are partly the machine's")
	}
	if text := result.WarmedUp.Doubt(); text != "" {
		texts = append(texts, text)
	}
	if result.EndedEarly {
		texts = append(texts, fmt.Sprintf("ended early: %d of %d %s were placed", r.placed, r.Orders*len(r.Forms), result.unit().many()))
	}
	for _, form := range r.Forms {
		if n := result.Forms[form].Orders.Forgotten; n > 0 {
			texts = append(texts, fmt.Sprintf("%s: %s forgot %s before the run had read what became of them: they are in the sums, and orders.jsonl has them as forgotten", form, r.Flow.Entry().Service(), result.unit().count(n, "", "")))
		}
	}
	if result.Foreign > 0 {
		texts = append(texts, count(result.Foreign, "span", "spans")+" of nothing that this run placed came, and are left out")
	}
	rules, example := map[journey.RuleID]int{}, map[journey.RuleID]string{}
	for _, o := range r.judge.placed {
		for _, w := range o.warnings {
			if rules[w.Rule] += 1 + w.More; example[w.Rule] == "" {
				example[w.Rule] = w.Text
			}
		}
	}
	for _, rule := range slices.Sorted(maps.Keys(rules)) {
		texts = append(texts, fmt.Sprintf("%d × %s: %s", rules[rule], rule, strings.TrimSuffix(example[rule], ".")))
	}
	return texts
}

// relation is what the manifest says of how consumers' spans refer to producers'.
func (c Config) relation() string {
	if c.Kotel {
		return "kotel"
	}
	return c.Relation.String()
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
