package actor

import (
	"hash/maphash"
	"time"

	"tracelab/journey"
	"tracelab/watch/record"
)

// trace is the actor of one trace id: sets of facts that only grow.
type trace struct {
	id      journey.TraceID
	oldest  int64         // the lowest offset of what it keeps
	news    time.Duration // when something new came last
	born    time.Duration // when the first came, by the clock of Overdue
	at      time.Duration // when it is looked at next
	worked  time.Duration
	fresh   int // spans since it was worked on
	crowded int // spans that were counted as crowded
	dirty   bool
	counted bool // a span came
	done    bool // judged before, perhaps by another watcher
	judged  outcome
	bytes   int64

	seen    map[uint64]struct{} // what was kept, by hash
	own     []stored
	given   []stored // spans of other traces that the root of this one reaches
	stubs   []stored // of what led to them
	asks    map[journey.SpanID][]ask
	answers map[journey.Ref]*answer
	asked   map[asking]time.Duration // when
	reaches map[journey.TraceID]bool // verdicts of roots: whether they reach this trace
	gave    map[journey.TraceID]*gift
	sent    map[telling]uint64 // hash of what was told last
}

// outcome is what became of a trace.
type outcome uint8

const (
	open outcome = iota
	judged
	incomplete
	part
	shared
	rootless
)

// stored is a span, without what it shares with others.
type stored struct {
	of   *resource
	body string
}

type resource struct {
	bytes   string
	service string
	of      *journey.Resource
}

// ask is a span elsewhere that links to one of this trace.
type ask struct {
	from journey.TraceID
	who  stored
}

// answer is what is known of a span that one of this trace links to.
type answer struct {
	known bool
	roots map[journey.TraceID]record.Root
	more  bool
	sends []journey.Ref // that sent what the span made
}

type asking struct {
	by journey.SpanID
	of journey.Ref
}

type telling struct {
	of journey.SpanID
	to journey.TraceID
}

// gift is what was given to a root.
type gift struct {
	spans map[int]struct{} // of own
	sent  map[uint64]struct{}
}

// overhead is about what the bookkeeping for one stored thing takes, in bytes.
const overhead = 48

// store keeps the bytes of a span in a list, once: h is their hash. It reports whether they are new.
func (p *Partition) store(t *trace, list *[]stored, h uint64, b []byte) bool {
	if _, known := t.seen[h]; known {
		return false
	}
	of, body, err := p.split(b)
	if err != nil {
		p.counts.Damaged++
		return false
	}
	t.seen[h] = struct{}{}
	*list = append(*list, stored{of, string(body)})
	p.grow(t, int64(len(body))+overhead)
	return true
}

func (p *Partition) grow(t *trace, n int64) {
	t.bytes += n
	p.counts.Bytes += n
}

// What is hashed, so that a span is not taken for its own stub.
const (
	hashOwn = iota
	hashGiven
	hashStub
	hashAsk
	hashTell
)

func (p *Partition) hash(what byte, parts ...[]byte) uint64 {
	var h maphash.Hash
	h.SetSeed(p.seed)
	_ = h.WriteByte(what) // never fails
	for _, b := range parts {
		_, _ = h.Write(b)
	}
	return h.Sum64()
}

// maxResources is how many resources are kept for spans to come: with more, services come and go, and old ones are forgotten.
const maxResources = 10_000

// split finds the resource of a span among those that are known. A span that cannot be read gives an error.
func (p *Partition) split(b []byte) (*resource, []byte, error) {
	key, body, err := record.Split(b)
	if err != nil {
		return nil, nil, err
	}
	if _, err := record.DecodeBody(body); err != nil {
		return nil, nil, err
	}
	if r, ok := p.resources[string(key)]; ok {
		return r, body, nil
	}
	r := &resource{bytes: string(key)}
	if r.service, r.of, err = record.DecodeResource(key); err != nil {
		return nil, nil, err
	}
	if len(p.resources) >= maxResources {
		clear(p.resources)
	}
	p.resources[r.bytes] = r
	return r, body, nil
}

// span returns the span: it was read once before, so that there is no error.
func (s stored) span() journey.Span {
	x, _ := record.DecodeBody([]byte(s.body))
	x.Service, x.Resource = s.of.service, s.of.of
	return x
}

func (s stored) encoded() []byte { return record.Join(nil, []byte(s.of.bytes), []byte(s.body)) }

// stub returns a stored stub.
func (s stored) stub() journey.Span {
	x := s.span()
	x.Source = aside
	return x
}
