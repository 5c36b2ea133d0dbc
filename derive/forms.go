package derive

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"tracelab/services/flows"
)

// form is a column of the flow that is being made.
type form struct {
	name   string
	by     map[*step]flows.Carrier
	answer string
	callee bool
}

// traced is the form that the traces show.
func (t *table) traced(answer bool) form {
	f := form{name: "traced", by: map[*step]flows.Carrier{}}
	for i, s := range t.steps {
		f.by[s] = s.carrier
		if i == 0 && s.carrier.IsMessage() { // the gateway calls it
			f.by[s] = flows.RPC
		}
	}
	f.callee = t.nested && t.chains()
	if answer {
		switch {
		case t.waits:
			f.answer = "done"
		case t.answer != nil:
			f.answer = "after " + string(t.answer.name)
		}
	}
	return f
}

// chains tells whether every call comes right behind the step that its caller did itself, as it does when who is called carries on.
func (t *table) chains() bool {
	return !slices.ContainsFunc(t.steps, func(s *step) bool {
		if s.role != roleMain {
			return true
		}
		up := s.of.up()
		return s.of.via == viaCall && s != t.steps[0] && up != nil && (len(s.after) != 1 || len(up.rows) == 0 || s.after[0] != up.rows[0])
	})
}

// calls is the form in which everything is called.
func (t *table) calls() form {
	f := form{name: string(flows.GRPC), by: map[*step]flows.Carrier{}}
	for _, s := range t.steps {
		f.by[s] = flows.RPC
	}
	return f
}

// messages is the form in which messages carry all that they can: a service other than the entry's that must wait for several others calls them.
func (t *table) messages() form {
	f := form{name: string(flows.Kafka), by: map[*step]flows.Carrier{}}
	held := map[*step]bool{t.steps[0]: true}
	for _, s := range t.steps {
		for k := s.of; k != nil && k != t.entry; k = k.up() {
			if up := k.up(); up != nil && k.via != viaMessage && up.waitsForSeveral(t) {
				held[s] = true
			}
		}
		if s.role != roleMain && s.of.service != t.entry.service {
			held[s] = true
		}
	}
	for _, s := range t.steps {
		f.by[s] = flows.KafkaLog
		if held[s] {
			f.by[s] = flows.RPC
		}
	}
	return f
}

// has tells whether a carrier takes a step.
func (f form) has(by flows.Carrier) bool {
	return slices.Contains(slices.Collect(maps.Values(f.by)), by)
}

// waitsForSeveral tells whether an operation of another service than the entry's has work behind others, or behind several of them.
func (k *kind) waitsForSeveral(t *table) bool {
	if k.service == t.entry.service {
		return false
	}
	return len(k.rows) > 1 || slices.ContainsFunc(k.kids, func(kid *kind) bool {
		return slices.ContainsFunc(kid.rows, func(s *step) bool { return len(s.after) > 1 })
	})
}

// write writes the form as a member of forms.
func (f form) write(b *strings.Builder, steps []*step) {
	counts := map[flows.Carrier]int{}
	for _, s := range steps {
		counts[f.by[s]]++
	}
	each := flows.RPC
	for _, c := range flows.Carriers() {
		if counts[c] > counts[each] {
			each = c
		}
	}
	fmt.Fprintf(b, "  %s:\n    each: %s\n", f.name, each)
	for _, s := range steps {
		if f.by[s] != each {
			fmt.Fprintf(b, "    %s: %s\n", s.name, f.by[s])
		}
	}
	if f.answer != "" {
		fmt.Fprintf(b, "    answer: %s\n", f.answer)
	}
	if f.callee {
		b.WriteString("    plan: callee\n")
	}
}

// topics gives each step a topic: the one that led to it, or one that steps share which come after the same ones. A topic means one thing, so
// those that lead to steps after others are told apart.
func (t *table) topics(unit string) map[*step]string {
	of := map[*step]string{}
	behind := map[string]string{unit + ".failed": "!", unit + ".settled": "!"} // what a topic comes after
	for _, s := range t.steps[1:] {
		name := topicName(s.topic)
		if s.topic == "" {
			word := func(s *step) string { return strings.ToLower(strings.ReplaceAll(string(s.name), ".", "-")) }
			if name = topicName(unit + "." + word(s.after[0]) + "-done"); len(s.after) > 1 {
				name = topicName(unit + ".before-" + word(s))
			}
		}
		key := names(s.after) + fmt.Sprint(len(s.after), s.topic)
		if of[s] = ""; behind[name] != "" && behind[name] != key {
			base := name
			for n := 2; behind[name] != "" && behind[name] != key; n++ {
				name = fmt.Sprintf("%s-%d", base, n)
			}
		}
		of[s], behind[name] = name, key
		if s.topic != "" && s.topic != name {
			s.notes = append(s.notes, "its topic is "+quoted(s.topic))
		}
	}
	return of
}

// invented counts the steps to which no message led.
func (t *table) invented() int {
	n := 0
	for _, s := range t.steps[1:] {
		if s.topic == "" {
			n++
		}
	}
	return n
}
