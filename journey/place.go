package journey

import (
	"cmp"
	"hash/fnv"
	"slices"
	"strings"

	"tracelab/journey/internal/operation"
)

// NodeKind is the group of kinds that a node of a journey's tree belongs to. The two halves of one call, the client's span
// and the server's, are one node.
type NodeKind uint8

// The kinds of nodes. NodeEntry is the journey's root, with its server where the root is a client.
const (
	NodeEntry NodeKind = iota
	NodeCall
	NodeProduce
	NodeConsume
	NodeInternal
)

// String returns the kind as it is written in reports, such as consume.
func (k NodeKind) String() string {
	return [...]string{"entry", "call", "produce", "consume", "internal"}[k]
}

// MarshalText writes the kind as String does.
func (k NodeKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// kindOf returns the kind of node that a span other than a root begins.
func kindOf(n *node) NodeKind {
	switch {
	case n.is(isConsumer):
		return NodeConsume
	case n.kind == KindProducer || n.op == operation.Send || n.op == operation.Create:
		return NodeProduce
	case n.kind == KindClient || n.kind == KindServer:
		return NodeCall
	}
	return NodeInternal
}

// place is a node's key, the chain of (service, normalised name, kind) from the root down, as a link to the chain above it.
type place struct {
	placeKey
	hash uint64 // of the chain's text, equal in every process
}

type placeKey struct {
	parent        int32 // none at the top
	service, name int32
	kind          NodeKind
}

// identity is what a node is called: by its server, where the two halves of a call are there.
type identity struct{ service, name int32 }

type nameKey struct{ name, topic string }

// placeTable numbers the places of all groups, so that equal keys are equal numbers.
type placeTable struct {
	services interner[string]
	names    interner[string]
	cleaned  map[nameKey]int32 // number of the normalised name
	places   []place
	byKey    map[placeKey]int32
	servers  map[identity]identity // by client, of those that are seen with one server only
	setNames map[*Set][]int32      // by set and its number of a service, ours

	serviceNames, spanNames []string // by number, once all is read
	texts                   []string // by place, those that were shown
}

func newPlaceTable(groups []Group) *placeTable {
	t := &placeTable{
		cleaned: make(map[nameKey]int32), byKey: make(map[placeKey]int32),
		servers: make(map[identity]identity), setNames: make(map[*Set][]int32),
	}
	for _, g := range groups {
		for _, j := range g.Journeys {
			t.findServers(j)
		}
	}
	return t
}

// findServers notes which server a client's name leads to. A client span whose server's span was lost is then known by the
// name of the server, as the others are; a name that leads to several servers tells nothing.
func (t *placeTable) findServers(j *Journey) {
	s := j.set
	for _, i := range j.spans {
		if s.nodes[i].kind != KindServer {
			continue
		}
		p := s.nodes[i].parent
		if p == none || s.nodes[p].kind != KindClient {
			continue
		}
		client, server := t.identity(s, p), t.identity(s, i)
		if known, ok := t.servers[client]; !ok {
			t.servers[client] = server
		} else if known != server {
			t.servers[client] = identity{none32, none32}
		}
	}
}

const none32 = -1

func (t *placeTable) identity(s *Set, i Index) identity {
	return identity{t.service(s, i), t.name(s, i)}
}

// service returns our number of a span's service.
func (t *placeTable) service(s *Set, i Index) int32 {
	of := s.nodes[i].service
	numbers := t.setNames[s]
	if numbers == nil {
		names := s.services.names()
		numbers = make([]int32, len(names))
		for k, name := range names {
			numbers[k] = t.services.of(name)
		}
		t.setNames[s] = numbers
	}
	return numbers[of]
}

// name returns the number of a span's normalised name.
func (t *placeTable) name(s *Set, i Index) int32 {
	span := s.Span(i)
	key := nameKey{name: span.Name}
	if topic := s.nodes[i].topic; topic != 0 {
		key.topic = s.topicNames[topic]
	}
	n, ok := t.cleaned[key]
	if !ok {
		n = t.names.of(NormalizeName(untemplated(span, key.topic)))
		t.cleaned[key] = n
	}
	return n
}

// untemplated returns a span's name with the destination's template in place of its name: a topic may bear the name of the
// deployment that made it.
func untemplated(span *Span, topic string) string {
	if topic == "" {
		return span.Name
	}
	name, ok := span.Attr("messaging.destination.name")
	if !ok || name.String() == "" || name.String() == topic {
		return span.Name
	}
	return strings.Replace(span.Name, name.String(), topic, 1)
}

// at returns the number of a place.
func (t *placeTable) at(key placeKey) int32 {
	n, ok := t.byKey[key]
	if !ok {
		n = int32(len(t.places))
		t.byKey[key] = n
		t.places = append(t.places, place{placeKey: key})
	}
	return n
}

// seal makes names and hashes of the places, when all is read.
func (t *placeTable) seal() {
	t.serviceNames, t.spanNames = t.services.names(), t.names.names()
	services, names := hashes(t.serviceNames), hashes(t.spanNames)
	for i := range t.places { // a place is numbered after its parent
		p := &t.places[i]
		var above uint64
		if p.parent != none32 {
			above = t.places[p.parent].hash
		}
		p.hash = mix(mix(mix(above, services[p.service]), names[p.name]), uint64(p.kind)+1)
	}
}

func hashes(texts []string) []uint64 {
	list := make([]uint64, len(texts))
	for i, text := range texts {
		h := fnv.New64a()
		_, _ = h.Write([]byte(text)) // never fails
		list[i] = h.Sum64()
	}
	return list
}

// mix joins a value to a hash, with the finishing steps of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
func mix(h, v uint64) uint64 {
	h = (h^v)*0x9e3779b97f4a7c15 + 0x9e3779b97f4a7c15
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

func (t *placeTable) serviceName(p int32) string { return t.serviceNames[t.places[p].service] }
func (t *placeTable) spanName(p int32) string    { return t.spanNames[t.places[p].name] }

// maxCompared bounds how far up places are compared: a recursion may be 100,000 deep, and all of it alike.
const maxCompared = 32

// compare orders places by their text, from the node itself upwards, and those that are alike for long by their hashes.
func (t *placeTable) compare(a, b int32) int {
	p, q := a, b
	for range maxCompared {
		if a == b {
			return 0
		}
		if a == none32 || b == none32 {
			return cmp.Compare(a, b)
		}
		x, y := &t.places[a], &t.places[b]
		if c := cmp.Or(
			strings.Compare(t.serviceNames[x.service], t.serviceNames[y.service]),
			strings.Compare(t.spanNames[x.name], t.spanNames[y.name]),
			cmp.Compare(x.kind, y.kind),
		); c != 0 {
			return c
		}
		a, b = x.parent, y.parent
	}
	return cmp.Compare(t.places[p].hash, t.places[q].hash)
}

// maxPath bounds the path that is written of a node: chains may be 100,000 deep.
const maxPath = 24

// shown is a place's service and name.
func (t *placeTable) shown(p int32) string {
	if t.texts == nil {
		t.texts = make([]string, len(t.places))
	}
	if t.texts[p] == "" {
		t.texts[p] = t.serviceName(p) + " " + t.spanName(p)
	}
	return t.texts[p]
}

// path returns the services and names from the top down to a place; of a longer one the last maxPath, after a "…".
func (t *placeTable) path(p int32) []string {
	up := make([]string, 0, maxPath+1)
	for ; p != none32; p = t.places[p].parent {
		if len(up) == maxPath {
			up = append(up, "…")
			break
		}
		up = append(up, t.shown(p))
	}
	slices.Reverse(up)
	return slices.Clip(up)
}
