package rundir

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tracelab/internal/vocabulary"
)

// Setting says what was run: seed, flow, relation, and what was done to the units and to the lab.
func (p Provenance) Setting() string {
	parts := []string{fmt.Sprintf("seed %d", p.Seed), "flow " + cmp.Or(p.Flow, p.Topology), "relation " + p.Relation}
	add := func(name string, list ...string) {
		if text := strings.Join(list, " "); text != "" {
			parts = append(parts, name+" "+text)
		}
	}
	add("faults", p.Faults...)
	add("events", p.Events...)
	add("surge", p.Surge)
	add("links", p.Links...)
	for _, service := range slices.Sorted(maps.Keys(p.WorkersOf)) {
		parts = append(parts, counted(p.WorkersOf[service], "worker")+" of "+service)
	}
	for _, service := range slices.Sorted(maps.Keys(p.Instances)) {
		parts = append(parts, counted(p.Instances[service], "instance")+" of "+service)
	}
	return strings.Join(parts, ", ")
}

// Load says how the units of the run were placed.
func (p Provenance) Load() string {
	switch {
	case p.Clients > 0 && p.ThinkMS > 0:
		return fmt.Sprintf("closed loop of %d that think for %g ms", p.Clients, p.ThinkMS)
	case p.Clients > 0:
		return fmt.Sprintf("closed loop of %d", p.Clients)
	}
	return fmt.Sprintf("%g %s/s", p.Rate, p.units())
}

// Parts says which broker carried the messages, and where services kept their state.
func (p Provenance) Parts() string {
	broker := strings.TrimPrefix(cmp.Or(p.BrokerIs, p.Broker), "Kafka ")
	return fmt.Sprintf("Kafka %s; stores: %s", broker, cmp.Or(p.Stores, "not told"))
}

// MadeOn says which machine and which program made the figures.
func (p Provenance) MadeOn() string {
	return fmt.Sprintf("on %s, %s, %s; tracelab %s, %s", cmp.Or(p.Machine.CPU, "a processor that does not tell its name"), counted(p.Machine.Cores, "core"),
		strings.Trim(p.Machine.OS+"/"+p.Machine.Arch, "/"), cmp.Or(p.Version, "unknown"), p.Go)
}

// Marked says in a word why the figures of the run are not those of its services: late, or starved; "" when they are.
func (p Provenance) Marked() string {
	switch {
	case p.Generator.Late():
		return "late"
	case p.Starvation.Starved():
		return "starved"
	}
	return ""
}

// Doubt says why the times of the run are not only its services', "" when nothing is known.
func (p Provenance) Doubt() string {
	var reasons []string
	if g := p.Generator; g.Late() {
		reasons = append(reasons, fmt.Sprintf("the generator started %s late (p99 %.1f ms over %d ms)", p.units(), g.StartLagP99, LateStart))
	}
	if text := p.Starvation.String(); text != "" {
		reasons = append(reasons, text)
	}
	return strings.Join(reasons, "; ")
}

// units is what the flow calls what it is done for, in the plural.
func (p Provenance) units() string { return vocabulary.Plural(cmp.Or(p.Unit, "order")) }

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %s", n, vocabulary.Plural(noun))
}
