package journey

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
)

// Header is a header that a span recorded at its hop: as a sender wrote it, or as a receiver read it.
type Header struct {
	Name   string   // in lower case
	Values []string // in their order; empty where only the name was recorded
}

// headerPrefixes lists the prefixes of attributes with captured headers: those of the semantic conventions for HTTP and gRPC, today's and
// the one before, and that of the Java instrumentation for messages.
var headerPrefixes = []string{"http.request.header.", "rpc.request.metadata.", "rpc.grpc.request.metadata.", "messaging.header."}

// otherHeaders is an attribute with the names of headers whose values were not recorded.
const otherHeaders = "tracelab.headers.other"

// Headers lists the headers that the span recorded at its hop, by name.
func (s *Span) Headers() []Header {
	var list []Header
	for _, a := range s.Attributes {
		if a.Key == otherHeaders {
			for _, name := range stringsOf(a.Value) {
				list = append(list, Header{Name: name})
			}
			continue
		}
		for _, prefix := range headerPrefixes {
			if name, ok := strings.CutPrefix(a.Key, prefix); ok {
				// Underscores stand for dashes where an instrumentation follows the names of before 1.22.
				list = append(list, Header{Name: strings.ReplaceAll(strings.ToLower(name), "_", "-"), Values: stringsOf(a.Value)})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b Header) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// stringsOf returns the elements of a list of strings, which some formats keep as JSON in a string; any other value is one element.
func stringsOf(v Value) []string {
	var list []string
	if text := v.String(); strings.HasPrefix(text, "[") && json.Unmarshal([]byte(text), &list) == nil {
		return list
	}
	return []string{v.String()}
}

// Hop is a call or a message by which a context can travel from one span to the next.
type Hop struct {
	From, To Index
	Class    Class
}

// Hops lists the hops of the journey in the order in which their receivers began: calls, and messages with the spans that received or
// handled them.
func (j *Journey) Hops() []Hop {
	var hops []Hop
	for _, i := range j.Spans() {
		for e := range j.set.Causes(i) {
			from, to := j.set.Span(e.From), j.set.Span(i)
			call := e.Class == ClassCall && from.Kind == KindClient && to.Kind == KindServer
			if (call || e.Class == ClassMessage || e.Class == ClassAbandoned) && j.Contains(e.From) {
				hops = append(hops, Hop{e.From, i, e.Class})
			}
		}
	}
	slices.SortStableFunc(hops, func(a, b Hop) int { return cmp.Compare(j.set.nodes[a.To].start, j.set.nodes[b.To].start) })
	return hops
}
