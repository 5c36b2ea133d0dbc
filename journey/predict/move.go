package predict

import (
	"slices"
	"sort"

	"tracelab/journey"
)

// mover moves activities that need a turned call out of their holder, behind the callee.
type mover struct {
	*turner
	h      int32
	kids   []int32             // those that may move, in the order of time
	byEnd  []int32             // those that the holder waited for
	latest []int32             // by position in byEnd: which of those so far began last
	place  map[int32]int32     // by moved activity, its new holder
	turned map[int32]bool      // calls that became messages
	joined map[[2]int]returned // by what they need
	spent  []int32             // callees whose last lag has moved to what follows them
}

// returned is the handling of a message that comes back to the holder's service.
type returned struct {
	at  int32
	lag int64 // of the first piece of work that came back
}

func newMover(t *turner, h int32, turned []int32) *mover {
	m := &mover{turner: t, h: h, place: make(map[int32]int32), turned: make(map[int32]bool), joined: make(map[[2]int]returned)}
	for _, c := range turned {
		m.turned[c] = true
	}
	for _, k := range t.acts[h].kids {
		if a := &t.acts[k]; a.anchor != atStart {
			m.kids = append(m.kids, k)
		}
	}
	slices.SortFunc(m.kids, t.before)
	m.byEnd = slices.Clone(t.waited(h))
	for n, k := range m.byEnd {
		if n > 0 && t.before(m.latest[n-1], k) > 0 {
			k = m.latest[n-1]
		}
		m.latest = append(m.latest, k)
	}
	return m
}

func (m *mover) run() {
	first := int64(-never)
	for c := range m.turned {
		first = min(first, m.acts[c].to())
	}
	for _, k := range m.kids {
		if m.acts[k].start < first {
			continue
		}
		n := m.needed(m.byEnd, k)
		if !slices.ContainsFunc(m.front(n), func(f int32) bool { return m.turned[f] || m.moved(f) }) {
			continue
		}
		m.move(k, n)
	}
	h := &m.acts[m.h]
	h.kids = slices.DeleteFunc(h.kids, m.moved)
	for _, callee := range m.spent {
		m.acts[callee].last = 0
	}
}

func (m *mover) moved(k int32) bool { _, ok := m.place[k]; return ok }

// front returns, of the first n activities by their ends, those that none of the others needed.
func (m *mover) front(n int) []int32 {
	if n == 0 {
		return nil
	}
	last := m.latest[n-1]
	first := sort.Search(n, func(i int) bool { return m.acts[m.byEnd[i]].to() > m.acts[last].start })
	if m.acts[last].to() == m.acts[last].start { // no length: it is before all that end later
		first--
	}
	return m.byEnd[first:n]
}

// move moves k, which needs the first n activities by their ends, to where the last of these are.
func (m *mover) move(k int32, n int) {
	front := m.front(n)
	a := &m.acts[k]
	if a.anchor == atEnd { // it began after the holder's end, so after all of these
		a.anchor, a.lag = atNeeds, a.lag+m.acts[m.h].last
	}
	places := m.placesOf(front)
	home := m.acts[m.h].service
	if len(places) == 1 && (m.acts[places[0]].service == home || len(a.callees) > 0) {
		a.lag += m.carried(front, places[0], a.waits)
		m.put(k, places[0])
		return
	}
	key := [2]int{n, len(front)}
	back, ok := m.joined[key]
	if !ok {
		back = m.comeBack(k, front, places)
		m.joined[key] = back
	}
	m.acts[k].lag -= back.lag
	m.put(k, back.at)
}

// placesOf lists the holders of activities: a callee, the one they were moved to, or still h.
func (m *mover) placesOf(front []int32) []int32 {
	var places []int32
	for _, f := range front {
		if at := m.placeOf(f); !slices.Contains(places, at) {
			places = append(places, at)
		}
	}
	return places
}

func (m *mover) placeOf(f int32) int32 {
	if at, ok := m.place[f]; ok && !m.turned[f] {
		return at
	}
	if m.turned[f] {
		return m.acts[f].callees[0]
	}
	return m.h
}

// carried returns the last lag of a callee, which moves to what follows its end.
func (m *mover) carried(front []int32, place int32, waits bool) int64 {
	for _, f := range front {
		if m.turned[f] && m.acts[f].callees[0] == place {
			if waits {
				m.spent = append(m.spent, place)
			}
			return m.acts[place].last
		}
	}
	return 0
}

func (m *mover) put(k, place int32) {
	m.place[k] = place
	m.acts[k].holder = place
	m.acts[place].kids = append(m.acts[place].kids, k)
}

// comeBack adds a handling in the holder's service that waits for all of the front: for messages from other services, and for the ends of
// what is in this one.
func (m *mover) comeBack(k int32, front, places []int32) returned {
	first := m.acts[k] // a copy: the list grows
	home := m.acts[m.h].service
	back := activity{span: none, service: home, holder: none, waits: false, anchor: atStart, start: first.start, end: first.end, hop: none, carrier: none}
	var publishes []int32
	for _, place := range places {
		if m.acts[place].service == home {
			continue
		}
		lag := first.lag + m.carried(front, place, true)
		at := int32(len(m.acts))
		m.acts = append(m.acts, activity{
			span: none, service: m.acts[place].service, holder: place, waits: true, anchor: atNeeds, start: first.start, end: first.end,
			lag: lag, last: int64(m.costs.Publish.Value), hop: none, carrier: none,
		})
		m.acts[place].kids = append(m.acts[place].kids, at)
		publishes = append(publishes, at)
	}
	at := int32(len(m.acts))
	if len(publishes) == 0 { // all in this service already: it goes on where the last one is
		back.holder, back.anchor, back.waits, back.lag = places[0], atNeeds, first.waits, first.lag
		if back.holder == m.h {
			back.holder = places[1]
		}
	} else {
		m.used.publish, m.used.delivery = true, true
		back.holder, back.message, back.lag = publishes[len(publishes)-1], true, int64(m.costs.Delivery.Value)
		back.carrier, back.hop = back.holder, m.returned(m.names[home], m.workName(k))
		for _, p := range publishes[:len(publishes)-1] {
			back.joins = append(back.joins, join{of: p, start: true, message: true, lag: back.lag})
		}
		m.acts[back.holder].callees = []int32{at}
		m.turner.turned(back.hop, Message)
	}
	for _, f := range front {
		if m.acts[m.placeOf(f)].service == home {
			back.joins = append(back.joins, join{of: f, lag: first.lag})
		}
	}
	m.acts = append(m.acts, back)
	m.acts[back.holder].kids = append(m.acts[back.holder].kids, at)
	return returned{at, first.lag}
}

// workName returns the name of a piece of work: that of its span, or of the hop that it carries.
func (m *mover) workName(k int32) string {
	span := m.acts[k].span
	if span == none && len(m.acts[k].callees) > 0 {
		span = m.acts[m.acts[k].callees[0]].span
	}
	if span == journey.Index(none) {
		return "work"
	}
	return m.journey.Set().Span(span).Name
}
