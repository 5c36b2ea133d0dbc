package derive

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"tracelab/services/flows"
)

// longest is the most characters of each part of a step's name and of a flow's.
const longest = 40

// longestQuoted is the most characters of a name of the traces that a comment shows.
const longestQuoted = 80

// quoted is a name of the traces as a comment may show it: on one line, and without characters that nobody sees.
func quoted[T ~string](name T) string {
	runes := []rune(string(name))
	if len(runes) > longestQuoted {
		runes = append(runes[:longestQuoted-1:longestQuoted-1], '…')
	}
	return strconv.Quote(string(runes))
}

// wordsOf splits a name into its words of letters and digits of ASCII. A change from small to large letters begins another one.
func wordsOf(name string) []string {
	var words []string
	word := []rune{}
	end := func() {
		if len(word) > 0 {
			words = append(words, string(word))
			word = nil
		}
	}
	last := ' '
	for _, r := range name {
		switch {
		case r >= unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r):
			end()
		case unicode.IsUpper(r) && unicode.IsLower(last):
			end()
			fallthrough
		default:
			word = append(word, r)
		}
		last = r
	}
	end()
	return words
}

// serviceName makes the name of a service one that a flow may have.
func serviceName(name string) string {
	text := strings.ToLower(strings.Join(strings.FieldsFunc(name, func(r rune) bool {
		return r >= unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}), "-"))
	switch {
	case text == "":
		text = "service"
	case text[0] < 'a':
		text = "s-" + text
	}
	return strings.TrimRight(cutName(text), "-")
}

// verbName makes the name of an operation the verb of a step: of a path of words the last one.
func verbName(name string) string {
	if i := strings.LastIndexAny(name, "/"); i >= 0 && !strings.ContainsAny(name, " {") && i+1 < len(name) {
		name = name[i+1:] // hipstershop.CartService/GetCart
	}
	var b strings.Builder
	for _, word := range wordsOf(name) {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	switch text := b.String(); {
	case text == "":
		return "Work"
	case text[0] < 'A':
		return cutName("Do" + text)
	default:
		return cutName(text)
	}
}

// topicName makes the name of a topic one that a flow may have.
func topicName(name string) string {
	text := strings.Trim(strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("._-", r)) {
			return r
		}
		return '-'
	}, name), "._-")
	const most = 100 // of the 120 that a topic has
	if len(text) > most {
		text = text[:most]
	}
	if text == "" {
		return "topic"
	}
	return text
}

func cutName(text string) string {
	if len(text) > longest {
		return text[:longest]
	}
	return text
}

// apart makes a name that nobody has: with a number behind it where it is taken.
func apart(name, between string, taken func(string) bool) string {
	for n := 2; ; n++ {
		switch {
		case !taken(name):
			return name
		case !taken(withNumber(name, between, n)):
			return withNumber(name, between, n)
		}
	}
}

func withNumber(name, between string, n int) string {
	number := between + strconv.Itoa(n)
	return name[:min(len(name), longest-len(number))] + number
}

// namer gives the services and steps of a table names that a flow may have.
type namer struct {
	services map[string]string // by their name in the traces
	taken    map[string]bool   // steps, in small letters
	settle   string            // in small letters, the step that the loader puts behind a flow which ends elsewhere
	// completes is the step that all units end with; nil when there is none.
	completes *step
}

// completing finds the one step that nothing comes after and that all units pass through. A lone entry completes nothing: a step is put behind it.
func (t *table) completing() *step {
	var ends []*step
	for _, s := range t.steps {
		if !slices.ContainsFunc(t.steps, func(other *step) bool { return slices.Contains(other.after, s) }) {
			ends = append(ends, s)
		}
	}
	if len(ends) != 1 || ends[0].share < 1 || len(t.steps) == 1 {
		return nil
	}
	return ends[0]
}

// nameSteps names the services and steps of a table, in the order of the traces, and notes where the names are others.
func (t *table) nameSteps() {
	n := namer{services: map[string]string{}, taken: map[string]bool{}}
	for _, s := range t.steps {
		n.service(s.of.service)
	}
	n.settle = strings.ToLower(n.services[t.entry.service] + "." + flows.SettleVerb)
	n.completes = t.completing()
	for _, s := range t.steps {
		n.step(s)
	}
	var mapped []string
	for from, to := range n.services {
		if from != to {
			mapped = append(mapped, fmt.Sprintf("%s is the service %s", to, quoted(from)))
		}
	}
	slices.Sort(mapped)
	t.notes = append(t.notes, mapped...)
}

func (n *namer) service(name string) {
	if _, ok := n.services[name]; ok {
		return
	}
	text := serviceName(name)
	if slices.Contains(flows.NotServices(), text) {
		text = cutName(text + "-service")
	}
	n.services[name] = apart(text, "-", func(text string) bool {
		for _, other := range n.services {
			if other == text {
				return true
			}
		}
		return slices.Contains(flows.NotServices(), text)
	})
}

// step names a step: what the lab calls it, or service and operation.
func (n *namer) step(s *step) {
	service, verb := n.services[s.of.service], verbName(s.of.name)
	if of, own, ok := strings.Cut(s.of.step, "."); ok && of == s.of.service {
		verb = verbName(own)
	}
	switch s.role {
	case roleMain:
	case roleNext:
		verb = verb[:min(len(verb), longest-len("Next"))] + "Next"
	case roleEnd:
		verb = verb[:min(len(verb), longest-len("End"))] + "End"
	}
	verb = apart(verb, "", func(verb string) bool {
		path := strings.ToLower(service + "." + verb)
		return n.taken[path] || path == n.settle && s != n.completes
	})
	s.name = flows.Step(service + "." + verb)
	n.taken[strings.ToLower(string(s.name))] = true
	if s.role == roleMain && verb != s.of.name && string(s.name) != s.of.step {
		s.notes = append(s.notes, "the operation "+quoted(s.of.name))
	}
}
