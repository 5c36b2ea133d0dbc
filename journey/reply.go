package journey

import (
	"cmp"
	"slices"
)

// reply is a message that came back to the service that had asked for it, while a span of that service was open.
type reply struct {
	waiter Index // the span that waited
	sent   Index // the send span that began the conversation
	back   Index // the span that handled the reply
	end    int64 // until when it waited
}

// Reply tells that a span waited for a message to come back: from the start of the send span that began the conversation
// until the reply was handled, or the waiting span ended.
type Reply struct {
	Waiter Index // a caller of Sent, in the service of Back
	Sent   Index
	Back   Index // the span that handled the reply
}

// Replies returns the replies of the journey, by Waiter, then by Sent, in the set's order.
func (j *Journey) Replies() []Reply {
	if j.set == nil {
		return nil
	}
	var list []Reply
	for _, i := range j.spans {
		for _, c := range j.set.callsOf(i) {
			if c >= none {
				continue
			}
			if r := j.set.replies[replyOf(c)]; j.Contains(r.sent) && j.Contains(r.back) {
				list = append(list, Reply{r.waiter, r.sent, r.back})
			}
		}
	}
	slices.SortFunc(list, func(a, b Reply) int { return cmp.Or(cmp.Compare(a.Waiter, b.Waiter), cmp.Compare(a.Sent, b.Sent)) })
	return list
}

// ReplyTo returns the span that waited until span i had handled a reply, and false when i handled none.
func (j *Journey) ReplyTo(i Index) (waiter Index, ok bool) {
	if j.set == nil {
		return none, false
	}
	waiter, ok = j.set.waiters[i]
	if !ok || !j.Contains(waiter) || !j.Contains(i) {
		return none, false
	}
	return waiter, true
}

// conversation is what ties a reply to what was sent for it: the service, and messaging.message.conversation_id.
type conversation struct {
	service int32
	id      string
}

// replyFinder finds the replies of a set.
type replyFinder struct {
	*Set
	mark  []int32 // by span: the last search that reached it
	walk  int32
	stack []Index
	steps int // how many are left for all searches; when they are used up, the remaining sends get no reply
}

// findReplies finds for each send span with a conversation id the last reply to it.
func (s *Set) findReplies() {
	if s.seen&hasConversation == 0 {
		return
	}
	sends, backs := make(map[conversation][]Index), make(map[conversation][]Index)
	for i := range s.nodes {
		n := &s.nodes[i]
		if !n.is(hasConversation) || n.is(isShared) {
			continue
		}
		key := conversation{n.service, s.spans[n.span].conversationID()}
		switch {
		case n.is(isConsumer):
			backs[key] = append(backs[key], Index(i))
		case n.sends():
			sends[key] = append(sends[key], Index(i))
		}
	}
	f := replyFinder{Set: s, steps: 64 * (len(s.nodes) + len(s.in) + 1)}
	var all []Index
	for key, list := range sends {
		if backs[key] != nil {
			all = append(all, list...)
			slices.SortFunc(backs[key], func(i, j Index) int { return s.compareEnds(j, i) })
		}
	}
	slices.Sort(all)
	for _, p := range all {
		n := &s.nodes[p]
		if r, ok := f.find(p, backs[conversation{n.service, s.spans[n.span].conversationID()}]); ok {
			s.replies = append(s.replies, r)
			if s.waiters == nil {
				s.waiters = make(map[Index]Index)
			}
			s.waiters[r.back] = r.waiter
		}
	}
}

func (s *Span) conversationID() string {
	for _, a := range s.Attributes {
		if isConversation(a.Key) {
			return a.Value.String()
		}
	}
	return ""
}

// find returns the last reply to what p sent. backs are the candidates, the one that ended last first.
func (f *replyFinder) find(p Index, backs []Index) (reply, bool) {
	waiters := f.callersIn(p, f.nodes[p].service)
	searched := false
	for _, q := range backs {
		n := &f.nodes[q]
		if f.steps--; n.start <= f.nodes[p].start || f.steps < 0 {
			continue
		}
		w := slices.IndexFunc(waiters, func(s Index) bool { return f.waits(s, q) })
		if w < 0 || slices.ContainsFunc(f.edgesTo(q), func(e edge) bool { return e.pred == p && e.class == ClassMessage }) {
			continue
		}
		if !searched {
			f.search(p)
			searched = true
		}
		if f.mark[q] == f.walk {
			return reply{waiters[w], p, q, min(n.end, f.nodes[waiters[w]].eff)}, true
		}
	}
	return reply{}, false
}

// waits reports whether span i may have waited for q: it was open when q began, and did not end before q did.
func (s *Set) waits(i, q Index) bool {
	return s.nodes[q].start < s.nodes[i].end && s.tolerates(i, q, s.nodes[q].end-s.nodes[i].end)
}

// callersIn returns the callers of a span in a service, the nearest first.
func (f *replyFinder) callersIn(i Index, service int32) []Index {
	var list []Index
	for at := f.nodes[i].caller; at != none && f.steps >= 0; at = f.nodes[at].caller {
		if f.steps--; f.nodes[at].service == service {
			list = append(list, at)
		}
	}
	return list
}

// search marks every span that p leads to.
func (f *replyFinder) search(p Index) {
	if f.mark == nil {
		f.mark = make([]int32, len(f.nodes))
	}
	f.walk++
	f.mark[p] = f.walk
	f.stack = append(f.stack[:0], p)
	for len(f.stack) > 0 && f.steps >= 0 {
		i := f.stack[len(f.stack)-1]
		f.stack = f.stack[:len(f.stack)-1]
		for _, effect := range f.effectsOf(i) {
			if f.steps--; f.mark[effect] != f.walk {
				f.mark[effect] = f.walk
				f.stack = append(f.stack, effect)
			}
		}
	}
}
