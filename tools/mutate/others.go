package main

// sourceMutations break what is read of others' formats.
func sourceMutations() []mutation {
	return []mutation{
		{"read: ids in base64", "jsonscalar.go", "raw[len(raw)-1] == '='", "raw[len(raw)-1] == '!'"},
		{"read: a Jaeger parent is of the same trace", "jaegerjson.go", "		case r.Trace != s.Trace:\n", "		case false:\n"},
		{"read: CHILD_OF before FOLLOWS_FROM", "jaegerjson.go", "case r.childOf && chosen < 0:", "case chosen < 0:"},
		{"read: FOLLOWS_FROM is the parent where there is no CHILD_OF", "jaegerjson.go", "if chosen < 0 && parent.IsZero() {", "if false {"},
		{"read: another CHILD_OF stays one", "jaegerjson.go", "		if r.childOf {\n			l.Attributes", "		if false {\n			l.Attributes"},
		{"read: Zipkin's kinds", "zipkin.go", "	case \"PRODUCER\":\n		return journey.KindProducer", "	case \"PRODUCER\":\n		return journey.KindClient"},
		{"read: Zipkin's destinations", "zipkin.go", "if system, ok := messagingTags[a.Key]; ok {", "if system, ok := messagingTags[a.Key]; ok && false {"},
		{"read: what is Zipkin's", "zipkin.go", "return s.has(\"traceId\", \"id\") &&", "return s.has(\"traceId\", \"ID\") &&"},
	}
}

// compareMutations break what is told apart, and what a gate decides.
func compareMutations() []mutation {
	return []mutation{
		{"roots: journeys of one kind have one root", "root.go", "return Root{span.Service, NormalizeName(span.Name)}", "return Root{span.Service, \"\"}"},
		{"roots: another mix gets no verdict", "root.go", "		if n > 1 {\n			return false, \"\"", "		if n > 9 {\n			return false, \"\""},
		{"roots: those of one side are listed", "root.go", "return r.groups[0].size() > 0 && slices.ContainsFunc(r.groups[1:], func(g Group) bool { return g.size() > 0 })",
			"return true"},
		{"gate: fails only when the whole interval lies beyond", "gate.go", "case c.Low != nil && *c.Low > l.Amount.Value:", "case c.High != nil && *c.High > l.Amount.Value:"},
		{"gate: passes only when the whole interval lies within", "gate.go", "case c.High != nil && *c.High <= l.Amount.Value:", "case c.Low != nil && *c.Low <= l.Amount.Value:"},
		{"gate: a percentage of pairs is of their ratios", "quantile.go", "shares[i] = shareOf(base[i], other[i])", "shares[i] = (other[i] - base[i]) / base[0]"},
		{"gate: from 6 runs a side on by runs", "gate.go", "const minRuns = minInterval", "const minRuns = 1000"},
		{"same: the whole interval within the amount", "amount.go", "*x.Low >= -a.Value && *x.High <= a.Value", "*x.High <= a.Value"},
		{"words: no number of pairs that nobody will have", "words.go", "return ok && n > maxWorthwhile", "return ok && n > 1000*maxWorthwhile"},
		{"interval: none of fewer than 6 values", "statistics.go", "minInterval = 6 ", "minInterval = 2 "},
	}
}

// lintMutations break the rules of lint that are about others' spans.
func lintMutations() []mutation {
	return []mutation{
		{"lint: after a failure it is a retry", "delivery_rules.go", "if c.retries(i) {", "if false && c.retries(i) {"},
		{"lint: nobody expects a group that got one in thirty", "delivery_rules.go", "d.counts[consumer{topic, g}]*20 >= sent[topic]", "d.counts[consumer{topic, g}] >= 0"},
		{"lint: a poll of what others handle has lost nothing", "propagation_rules.go", " && !v.passedOn[i]", ""},
		{"lint: a trace of polls has no root to miss", "propagation_rules.go", "t.roots == 0 && t.poll:", "false:"},
		{"lint: a producer's child in another service is its consumer", "messaging_rules.go", "e.From == p && e.Class == journey.ClassMessage && child.Kind", "e.From == p && e.Class == journey.ClassCall && child.Kind"},
		{"lint: groups are Kafka's alone", "messaging_rules.go", "consumer && kafka && m.group == \"\"", "consumer && (kafka || true) && m.group == \"\""},
		{"lint: offsets are Kafka's alone", "message_value_rules.go", "!m.kafka && m.system != \"kafka\" ||", "false ||"},
		{"lint: traceparent once", "traceparent_rules.go", "		if n > 1 {\n			c.found", "		if n > 2 {\n			c.found"},
		{"lint: several values in one header", "traceparent_rules.go", "n += 1 + strings.Count(value, \",\")", "n++\n			_ = strings.Count(value, \",\")"},
	}
}

// predictMutations break what is known of a journey whose hops have other carriers.
func predictMutations() []mutation {
	return []mutation{
		{"predict: the last lag stays with the caller", "replay.go", "yield(k*eventsEach+eventPassed, a.last)", "yield(k*eventsEach+eventPassed, 0)"},
		{"predict: a call starts its lag after what it needs", "replay.go", "yield(r.after[at]*eventsEach+eventPassed, a.lag)", "yield(r.after[at]*eventsEach+eventPassed, 0)"},
		{"predict: a join is behind the latest", "replay.go", "yield(j.of*eventsEach+eventEnd, j.lag)", "yield(j.of*eventsEach+eventStart, j.lag)"},
		{"predict: a message that takes a call takes time to publish", "turn.go", "carrier.last = int64(t.costs.Publish.Value)", "carrier.last = 0"},
		{"predict: and to be delivered", "turn.go", "a.lag = int64(t.costs.Delivery.Value)", "a.lag = 0"},
		{"predict: a call that takes a message has its overhead", "turn.go", "t.carryCalls(carrier(), calls, int64(t.costs.Call.Value))", "t.carryCalls(carrier(), calls, 0)"},
		{"predict: nobody calls a service that waits up the chain", "turn.go", "case t.waiting[t.acts[k].service] > 0:", "case false:"},
		{"predict: what needs a turned call moves behind it", "move.go", "return m.turned[f] || m.moved(f) }) {", "return false }) {"},
	}
}
