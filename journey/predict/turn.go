package predict

import "slices"

// turner turns hops of one plan, holders first: what moves behind a callee is there when the callee's own hops are turned.
type turner struct {
	*plan
	wanted   func(hop int32) Carrier // "" leaves hops of that kind as they are
	returned func(service, work string) int32
	costs    Constants
	used     *usedConstants
	turned   func(hop int32, to Carrier)

	waiting map[int32]int // by service, how many of its activities wait up the chain
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

// toCalls turns the messages of a carrier that are wanted as calls into parallel calls.
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

// beside adds an activity that starts like p.
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

// carryCalls makes an activity call these in parallel. The sender's own work was publishing, which is gone; what it started
// without waiting for it stays.
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
