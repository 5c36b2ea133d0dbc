package predict

import (
	"slices"
	"sort"

	"tracelab/journey"
)

// turner turns hops of one plan, holders first: what moves behind a callee is there when the callee's own hops are looked at.
type turner struct {
	*plan
	wanted   func(hop int32) Carrier // "" leaves hops of that kind as they are
	returned func(service, work string) int32
	costs    Constants
	used     *usedConstants
	turned   func(hop int32, to Carrier)

	waiting map[int32]int // services that wait up the chain, with how many of their activities do
}

// usedConstants tells which constants the turned hops needed.
type usedConstants struct{ publish, delivery, call bool }

// run goes over the plan from its roots.
func (t *turner) run() {
	var later []int32
	for at := range t.acts {
		if t.acts[at].holder == none && t.acts[at].span != none {
			t.toCalls(none, int32(at))
			t.toMessage(int32(at))
			later = append(later, int32(at))
		}
	}
	for len(later) > 0 {
		first := later[0]
		later = later[1:]
		clear(t.waiting)
		stack := []int32{first}
		for len(stack) > 0 {
			top := stack[len(stack)-1]
			if top < 0 { // its activities have been seen
				stack = stack[:len(stack)-1]
				t.waiting[t.acts[^top].service]--
				continue
			}
			stack[len(stack)-1] = ^top
			t.waiting[t.acts[top].service]++
			t.holder(top)
			for _, k := range t.acts[top].kids {
				if t.acts[k].waits {
					stack = append(stack, k)
				} else {
					later = append(later, k)
				}
			}
		}
	}
}

// holder turns the hops that an activity starts.
func (t *turner) holder(h int32) {
	for n := 0; n < len(t.acts[h].kids); n++ { // a turn may add to them
		t.toCalls(h, t.acts[h].kids[n])
	}
	var turned []int32
	for _, k := range t.acts[h].kids {
		if t.toMessage(k) {
			turned = append(turned, k)
		}
	}
	if len(turned) > 0 {
		newMover(t, h, turned).run()
	}
}

// toMessage turns a carrier of a call into a publish, and reports whether it did. Of several attempts the last one is taken.
func (t *turner) toMessage(c int32) bool {
	carrier := &t.acts[c]
	callee := int32(none)
	for _, k := range carrier.callees {
		if !t.acts[k].message && t.wanted(t.acts[k].hop) == Message && (callee == none || t.before(callee, k) < 0) {
			callee = k
		}
	}
	if callee == none {
		return false
	}
	t.retries += len(carrier.callees) - 1
	a := &t.acts[callee]
	a.holder, a.waits, a.anchor, a.message = c, false, atStart, true
	a.lag = int64(t.costs.Delivery.Value)
	carrier.kids, carrier.callees = []int32{callee}, []int32{callee}
	carrier.last = int64(t.costs.Publish.Value)
	t.used.publish, t.used.delivery = true, true
	t.turned(a.hop, Message)
	return true
}

// toCalls turns the messages that a carrier takes, as far as they are wanted so, into calls side by side.
func (t *turner) toCalls(h, p int32) {
	if !slices.ContainsFunc(t.acts[p].callees, t.wantsCall) {
		return
	}
	var keep, calls, local []int32
	for _, k := range t.acts[p].callees {
		switch {
		case !t.wantsCall(k):
			keep = append(keep, k)
		case t.waiting[t.acts[k].service] > 0:
			local = append(local, k)
		default:
			calls = append(calls, k)
		}
	}
	free := []int32{p} // the activity of the message carries the first group that there is, activities beside it the others
	carrier := func() int32 {
		if len(free) == 0 {
			return t.beside(h, p)
		}
		free = nil
		return p
	}
	if len(keep) > 0 {
		t.carryMessages(carrier(), keep)
	}
	if len(calls) > 0 {
		t.used.call = true
		t.carryCalls(carrier(), calls, int64(t.costs.Call.Value))
	}
	if len(local) > 0 {
		t.carryCalls(carrier(), local, 0)
	}
}

// beside adds an activity that starts as p does.
func (t *turner) beside(h, p int32) int32 {
	at := int32(len(t.acts))
	twin := t.acts[p]
	twin.span, twin.kids, twin.callees = none, nil, nil
	t.acts = append(t.acts, twin)
	if h != none {
		t.acts[h].kids = append(t.acts[h].kids, at)
	}
	return at
}

func (t *turner) wantsCall(k int32) bool {
	return t.acts[k].message && t.wanted(t.acts[k].hop) == Call
}

// carryMessages leaves an activity these of its callees.
func (t *turner) carryMessages(carrier int32, callees []int32) {
	c := &t.acts[carrier]
	c.kids = slices.DeleteFunc(c.kids, func(k int32) bool { return t.acts[k].message && !slices.Contains(callees, k) })
	c.callees = callees
}

// carryCalls lets an activity call these side by side. What the sender's span did itself was publishing, which is gone; what it
// started without waiting for it stays.
func (t *turner) carryCalls(carrier int32, callees []int32, overhead int64) {
	c := &t.acts[carrier]
	c.kids = slices.DeleteFunc(c.kids, func(k int32) bool { return t.acts[k].waits || t.acts[k].message })
	c.kids, c.callees = append(c.kids, callees...), callees
	c.waits, c.last = c.holder != none, overhead-overhead/2
	for _, k := range callees {
		a := &t.acts[k]
		a.holder, a.carrier, a.waits, a.anchor, a.message, a.lag = carrier, carrier, true, atStart, false, overhead/2
		for n := range a.joins { // what brought the other messages that it handled calls, too, and the latest call is behind it
			if !a.joins[n].message {
				continue
			}
			other := a.joins[n].of
			a.joins[n] = join{of: other, start: true, lag: overhead / 2}
			if len(t.acts[other].callees) == 0 {
				t.acts[other].last = 0
			}
		}
		t.turned(a.hop, Call)
	}
}

// mover moves what needs a turned call out of its holder.
type mover struct {
	*turner
	h      int32
	kids   []int32             // those that may move, in the order of time
	byEnd  []int32             // those that the holder waited for
	latest []int32             // by position in byEnd: which of those so far began last
	place  map[int32]int32     // where what moved is
	turned map[int32]bool      // calls that became messages
	joined map[[2]int]returned // by what they need
	spent  []int32             // callees whose last lag has gone to what follows them
}

// returned is a handling in the holder's service, of a message that comes back to it.
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

// front returns what the first n by their ends have last: those that none of the others needed.
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

// move puts k, which needs the first n by their ends, where the last of these are.
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

// placesOf lists where things are: behind a callee, where they were moved, or still in the holder.
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

// carried is the last lag of a callee, which goes to what follows its end.
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

// workName is what a piece of work is called: by its span, or by the hop that it carries.
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
