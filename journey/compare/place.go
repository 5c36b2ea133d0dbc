package compare

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"tracelab/journey"
	"tracelab/journey/internal/intern"
	"tracelab/journey/semconv"
)

// NodeKind is the kind of a node of a journey's tree. The two halves of one call, the client's span and the server's, are one
// node.
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
	names := [...]string{"entry", "call", "produce", "consume", "internal"}
	if int(k) < len(names) {
		return names[k]
	}
	return "kind(" + strconv.Itoa(int(k)) + ")"
}

// MarshalText writes the kind as String does.
func (k NodeKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (k *NodeKind) UnmarshalText(text []byte) error {
	for known := NodeEntry; known <= NodeInternal; known++ {
		if known.String() == string(text) {
			*k = known
			return nil
		}
	}
	return fmt.Errorf("kind of node %q is not known", text)
}

// kindOf returns the kind of node that a span other than a root begins.
func kindOf(set *journey.Set, i journey.Index) NodeKind {
	kind, operation := set.Span(i).Kind, set.Operation(i)
	switch {
	case set.ConsumerSide(i):
		return NodeConsume
	case kind == journey.KindProducer || operation == semconv.OperationSend || operation == semconv.OperationCreate:
		return NodeProduce
	case kind == journey.KindClient || kind == journey.KindServer:
		return NodeCall
	}
	return NodeInternal
}

// place is a node's key, the chain of (service, normalized name, kind) from the root down, as a link to the chain above it.
type place struct {
	placeKey
	hash uint64 // of the chain's text, equal in every process
}

type placeKey struct {
	parent        int32 // none at the top
	service, name int32
	kind          NodeKind
}

// identity is a node's service and name: those of the server, where both halves of a call are there.
type identity struct{ service, name int32 }

// rawIdentity is a span's service, name and topic as they were read.
type rawIdentity struct{ service, name, topic string }

// placeTable numbers the places of all groups, so that equal keys are equal numbers.
type placeTable struct {
	services   intern.Table[string]
	names      intern.Table[string]
	identities intern.Table[rawIdentity]
	known      []identity // by number of the raw one
	places     []place
	byKey      map[placeKey]int32
	servers    map[identity]identity // by client, of those that are seen with one server only

	serviceNames, spanNames []string // by number, once all is read
	texts                   []string // by place, those that were shown
}

func newPlaceTable(groups []Group) *placeTable {
	t := &placeTable{
		byKey: make(map[placeKey]int32), servers: make(map[identity]identity),
	}
	for _, g := range groups {
		for _, j := range g.Journeys {
			t.findServers(j)
		}
	}
	return t
}

// findServers finds to which server each client span's name leads, so that a client span whose server's span was lost gets
// the same identity as the others. A name that leads to several servers gives none.
func (t *placeTable) findServers(j *journey.Journey) {
	s := j.Set()
	for _, i := range j.Spans() {
		if s.Span(i).Kind != journey.KindServer {
			continue
		}
		p, ok := s.Parent(i)
		if !ok || s.Span(p).Kind != journey.KindClient {
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

// identity returns the numbers of a span's service and of its normalized name.
func (t *placeTable) identity(set *journey.Set, i journey.Index) identity {
	span := set.Span(i)
	raw := rawIdentity{span.Service, span.Name, set.Topic(i)}
	n := t.identities.Of(raw)
	if int(n) == len(t.known) {
		t.known = append(t.known, identity{t.services.Of(raw.service), t.names.Of(NormalizeName(templated(span, raw.topic)))})
	}
	return t.known[n]
}

// templated returns a span's name with the destination's template instead of its name: a topic's name may contain that of
// the deployment that made it.
func templated(span *journey.Span, topic string) string {
	if topic == "" {
		return span.Name
	}
	name, ok := span.Attr(semconv.MessagingDestinationName)
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

// seal makes the names and hashes of the places, when all journeys are read.
func (t *placeTable) seal() {
	t.serviceNames, t.spanNames = t.services.Keys(), t.names.Keys()
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

// compare orders places by their text, from the node itself upwards; places that are alike for maxCompared levels, by their
// hashes.
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

// shown returns a place's service and name.
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
