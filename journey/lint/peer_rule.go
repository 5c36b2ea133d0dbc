package lint

import (
	"slices"

	"tracelab/journey"
)

// peers has the service at each address, as far as spans show it, and the one that answers each remote procedure.
type peers struct {
	services   map[string]string // by address:port
	procedures map[string]string // by full name; "" when several services answer it
	answered   []bool            // by span: a CLIENT span that has a SERVER span below it
}

func (v *view) findPeers() peers {
	p := peers{services: make(map[string]string), procedures: make(map[string]string), answered: make([]bool, len(v.messages))}
	for k := range v.messages {
		i := journey.Index(k)
		span := v.set.Span(i)
		if span.Kind != journey.KindServer {
			continue
		}
		if a := address(span); a != "" {
			p.services[a] = span.Service
		}
		if name := procedure(span); name != "" {
			if before, known := p.procedures[name]; known && before != span.Service {
				p.procedures[name] = ""
			} else {
				p.procedures[name] = span.Service
			}
		}
		caller := v.parent(i)
		if caller == none || v.set.Span(caller).Kind != journey.KindClient {
			continue
		}
		p.answered[caller] = true
		if a := address(v.set.Span(caller)); a != "" {
			p.services[a] = span.Service
		}
	}
	return p
}

// address returns the server's address and port, under their present or their old names, or "" without both.
func address(span *journey.Span) string {
	host, port := "", ""
	for i := range span.Attributes {
		switch a := &span.Attributes[i]; a.Key {
		case "server.address", "net.peer.name":
			host = a.Value.String()
		case "server.port", "net.peer.port":
			port = a.Value.String()
		}
	}
	if host == "" || port == "" {
		return ""
	}
	return host + ":" + port
}

// procedure returns the full name of the remote procedure that a span calls or answers, which is the span's name by the conventions, or "". Servers of
// gRPC do not say at which address they are.
func procedure(span *journey.Span) string {
	for i := range span.Attributes {
		switch span.Attributes[i].Key {
		case "rpc.system", "rpc.system.name":
			return span.Name
		}
	}
	return ""
}

// at returns where a client span without a server span should have been answered, and by whom: the service at its address, else the only one that answers
// its procedure.
func (p peers) at(span *journey.Span) (place, service string) {
	if place = address(span); place != "" && p.services[place] != "" {
		return place, p.services[place]
	}
	if place = procedure(span); place != "" {
		return place, p.procedures[place]
	}
	return "", ""
}

// missingPeers finds client spans without a server span whose address is that of a service in the set, or whose procedure one answers, and server spans
// that start a trace while such a client span to them is open. A call that failed without an answer may never have arrived, and is left out.
func missingPeers(c *Pass) {
	p := c.findPeers()
	unanswered := make(map[string][]journey.Index)
	for k := range c.messages {
		i := journey.Index(k)
		span := c.set.Span(i)
		if span.Kind != journey.KindClient || c.messages[i] != nil || p.answered[i] || span.Status == journey.StatusError && !answer(span) {
			continue
		}
		if place, service := p.at(span); service != "" {
			unanswered[place] = append(unanswered[place], i)
			c.found(i, "%s has no server span below it, though %s at %s is in these traces", c.at(i), service, place)
		}
	}
	if len(unanswered) > 0 {
		c.lonelyServers(unanswered)
	}
}

// answer reports whether a client got an answer, whatever it said.
func answer(span *journey.Span) bool {
	_, now := span.Attr("http.response.status_code")
	_, old := span.Attr("http.status_code")
	return now || old
}

// lonelyServers gives each SERVER span without a parent the earliest unanswered client span of its address that
// encloses it, and each client span to one server span at the most.
func (c *Pass) lonelyServers(unanswered map[string][]journey.Index) {
	for k := range c.messages {
		i := journey.Index(k)
		span := c.set.Span(i)
		if span.Kind != journey.KindServer || !span.Parent.IsZero() {
			continue
		}
		a := address(span)
		if len(unanswered[a]) == 0 {
			a = procedure(span)
		}
		clients := unanswered[a]
		start, end := c.set.Times(i)
		for len(clients) > 0 { // a client that ended before this server started cannot have called a later one either
			if _, ended := c.set.Times(clients[0]); ended >= start {
				break
			}
			clients = clients[1:]
		}
		unanswered[a] = clients
		n := slices.IndexFunc(clients[:min(len(clients), maxCandidates)], func(j journey.Index) bool {
			from, to := c.set.Times(j)
			return from <= start && end <= to && c.set.Span(j).Trace != span.Trace
		})
		if n < 0 {
			continue
		}
		c.found(i, "%s starts a trace of its own while %s in trace %s waits for its answer", c.at(i), c.at(clients[n]), c.set.Span(clients[n]).Trace)
		copy(clients[1:n+1], clients[:n]) // leaves out client n, and moves few
		unanswered[a] = clients[1:]
	}
}

// maxCandidates bounds how many clients that wait at the same time are tried for one server span.
const maxCandidates = 64
