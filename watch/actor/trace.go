package actor

import (
	"hash/maphash"
	"slices"
	"time"

	"tracelab/journey"
	"tracelab/watch/record"
)

// trace is the actor of one trace id: sets of facts that only grow.
type trace struct {
	id      journey.TraceID
	oldest  int64         // lowest offset of the records that it was made from
	news    time.Duration // time of the last record with something new
	born    time.Duration // time of the first record, by Time.Wall
	at      time.Duration // time of the next look; negative for none
	worked  time.Duration // time of the last work
	fresh   int           // spans that came since the last work
	crowded int           // spans that were counted as crowded
	handled uint32        // records that were handled
	looked  uint32        // views since the last of them
	dirty   bool          // something new came since the last work
	links   bool          // an own span has links
	sends   bool          // send spans elsewhere came of messages that were created here, or linked to, since the last work
	studied bool          // nothing new came since see last built its view
	rooted  bool          // that view has a root
	reached bool          // in that view, a root reaches an own span
	hopeful time.Duration // time since which the trace waits for answers; negative for none
	counted bool          // at least one span came, so Counts.Seen includes it
	done    bool          // judged before, perhaps by another watcher
	pending bool          // Partition.pending has an entry for it
	judged  outcome
	bytes   int64

	seen    set[uint64]                   // hashes of all that is stored
	own     []stored                      // spans of this trace
	given   []stored                      // spans of other traces that the root of this one reaches, until the verdict
	stubs   []stored                      // stubs of the causes of own and given spans
	asks    table[journey.SpanID, []ask]  // by own span: who asked for it
	answers table[journey.Ref, *answer]   // by linked span: what its actor told
	asked   table[asking, time.Duration]  // questions of this trace, and when each was sent
	reaches table[journey.TraceID, bool]  // verdicts of roots: whether their journeys reach this trace
	gave    table[journey.TraceID, *gift] // by root: what was given to it
	sent    table[telling, uint64]        // hash of the last answer to each question
	back    table[journey.TraceID, *back] // by trace: which of the spans that it gave are taken back
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

// stored is a span as bytes. Its resource is shared with other spans.
type stored struct {
	of   *resource
	body string
}

// resource is a decoded resource, and its bytes.
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

// answer is what is known of a span of another trace to which this one links.
type answer struct {
	known   bool          // the span exists
	more    bool          // more roots reach it than Config.Causes
	version uint64        // of roots and more
	roots   []record.Root // the roots that reach it, sorted
	sends   []journey.Ref // the spans that sent the message that it created
}

// version grows with what a trace knows: in one life of its actor, and after its records were read again.
func (t *trace) version() uint64 { return uint64(t.handled)<<20 | uint64(min(t.looked, 1<<20-1)) }

// asking identifies a question: an own span wants to know about span of.
type asking struct {
	of journey.Ref
	by int32 // three times the number of the own span; with further parents one more, and as its own parent two more
}

// telling identifies an answer: to trace to, about own span of.
type telling struct {
	of journey.SpanID
	to journey.TraceID
}

// gift is what was given to a root.
type gift struct {
	spans set[int32]        // numbers of own spans
	sent  set[uint64]       // hashes of spans and stubs that were sent
	back  *[]journey.SpanID // those of spans that were taken back; nil while there were never any
}

// Estimates of memory beyond the bytes of spans.
const (
	traceBytes  = 400 // an actor
	overhead    = 64  // a stored span
	rowBytes    = 72  // of a table
	answerBytes = 160
	rootBytes   = 40
	giftBytes   = 160
	backBytes   = 96
)

// store keeps the bytes of a span in a list, once: h is their hash. Without a list it keeps the hash alone. It reports whether they are new, and returns the
// span without its resource.
// That one is good until the next call.
func (p *Partition) store(t *trace, list *[]stored, h uint64, b []byte) (s *journey.Span, added bool) {
	if t.seen.find(h) >= 0 {
		return nil, false
	}
	of, body, err := p.split(b)
	if err != nil {
		p.counts.Damaged++
		return nil, false
	}
	t.seen.add(h)
	if list != nil {
		x := stored{of, body}
		*list = append(*list, x)
		p.grow(t, x.size())
	}
	return &p.decoded, true
}

// size is the memory that a stored span takes, about.
func (s stored) size() int64 { return int64(len(s.body)) + overhead }

// grow adds to the memory that a trace uses.
func (p *Partition) grow(t *trace, n int64) {
	t.bytes += n
	p.counts.Bytes += n
}

// Kinds of hashed items, so that a span and its stub have different hashes.
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

// maxResources limits the resources that are kept for spans to come. When services come and go there may be more; then all are forgotten.
const maxResources = 10_000

// split parts a span into its resource, shared with other spans, and a copy of the rest, which it decodes into p.decoded. It fails for a span that
// cannot be decoded.
func (p *Partition) split(b []byte) (of *resource, body string, err error) {
	key, rest, err := record.Split(b)
	if err != nil {
		return nil, "", err
	}
	body = string(rest)
	if err := record.DecodeBodyInto(&p.decoded, body); err != nil {
		return nil, "", err
	}
	if r, ok := p.resources[string(key)]; ok {
		return r, body, nil
	}
	r := &resource{bytes: string(key)}
	if r.service, r.of, err = record.DecodeResource(key); err != nil {
		return nil, "", err
	}
	if len(p.resources) >= maxResources {
		clear(p.resources)
	}
	p.resources[r.bytes] = r
	return r, body, nil
}

// span decodes a stored span. There is no error: split has decoded it before.
func (s stored) span() journey.Span {
	x, _ := record.DecodeBody(s.body)
	x.Service, x.Resource = s.of.service, s.of.of
	return x
}

func (s stored) ref() journey.Ref { return record.BodyRef(s.body) }

// ties reports whether a stub may be tied to an own span that links to nothing: it is new to this trace, or links into it. In a large trace it
// does not look for the own span that it stands for.
func (t *trace) ties(s *journey.Span) bool {
	if slices.ContainsFunc(s.Links, func(l journey.Link) bool { return l.Trace == t.id }) {
		return true
	}
	return s.Trace == t.id && (len(t.own) > large || !slices.ContainsFunc(t.own, func(o stored) bool { return o.ref() == s.Ref() }))
}

func (s stored) encoded() []byte {
	return record.Join(make([]byte, 0, len(s.of.bytes)+len(s.body)+8), s.of.bytes, s.body)
}

// stub returns a stored stub.
func (s stored) stub() journey.Span {
	x := s.span()
	x.Source = aside
	return x
}
