package tracecontext

import (
	"context"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/trace"
)

// trace.TraceState takes the keys of level 1. A tracestate with a key that only
// level 2 allows travels in two parts: the span context has the members that
// trace.TraceState holds, where samplers and applications see and change them,
// and the context has the whole list. Inject puts the two together again.

// wholeState is a tracestate with members that trace.TraceState cannot hold.
type wholeState struct {
	traceID trace.TraceID // the trace it came with; no other trace gets it
	members []stateMember // all of them, in order
	list    string        // members as a header
	held    string        // as a header, what trace.TraceState holds of them
}

// splitTracestate returns what trace.TraceState holds of members and, when that
// is not all, the whole.
func splitTracestate(members []stateMember, traceID trace.TraceID) (state trace.TraceState, whole *wholeState) {
	held := slices.DeleteFunc(slices.Clone(members), func(m stateMember) bool {
		_, err := trace.TraceState{}.Insert(m.key, m.value)
		return err != nil
	})
	state, err := trace.ParseTraceState(joinMembers(held))
	if err == nil && len(held) == len(members) {
		return state, nil
	}
	return state, &wholeState{traceID: traceID, members: members, list: joinMembers(members), held: state.String()}
}

func joinMembers(members []stateMember) string {
	var sb strings.Builder
	for i, m := range members {
		if i > 0 {
			sb.WriteByte(',')
		}
		sb.WriteString(m.key)
		sb.WriteByte('=')
		sb.WriteString(m.value)
	}
	return sb.String()
}

// header returns the tracestate header of sc, whose trace state may have been
// changed since w was extracted. A nil w adds nothing to it.
func (w *wholeState) header(sc trace.SpanContext) string {
	state := sc.TraceState()
	header := state.String()
	switch {
	case w == nil || w.traceID != sc.TraceID():
		return header
	case header == w.held:
		return w.list
	}
	return joinMembers(w.merge(state))
}

// merge returns the members of state and those that it cannot hold. Members
// that were added, changed or moved in state come first, as the specification
// wants it. All others keep their order. Members beyond the limit are dropped
// from the end.
func (w *wholeState) merge(state trace.TraceState) []stateMember {
	var now []stateMember
	state.Walk(func(key, value string) bool {
		now = append(now, stateMember{key, value})
		return true
	})
	changed, same := w.divide(now)
	merged := slices.Clone(changed)
	for _, m := range w.members {
		if len(same) > 0 && same[0] == m {
			same = same[1:]
		} else if _, err := (trace.TraceState{}).Insert(m.key, m.value); err == nil {
			continue // held, so it was changed, moved or deleted
		}
		merged = append(merged, m)
	}
	return merged[:min(len(merged), maxTracestateMembers)]
}

// divide divides now into the members that were put first since, and those that
// are as they came, in their order.
func (w *wholeState) divide(now []stateMember) (changed, same []stateMember) {
	first, before := len(now), w.members
	for first > 0 {
		i := slices.Index(before, now[first-1])
		if i < 0 {
			break
		}
		first, before = first-1, before[:i]
	}
	return now[:first], now[first:]
}

type wholeStateKey struct{}

// wholeStateOf returns the whole tracestate that was last extracted into ctx,
// or nil when trace.TraceState held all of it.
func wholeStateOf(ctx context.Context) *wholeState {
	whole, _ := ctx.Value(wholeStateKey{}).(*wholeState)
	return whole
}

// wholeContext is a context with the whole tracestate; nil hides an older one.
type wholeContext struct {
	context.Context
	whole *wholeState
}

func (c *wholeContext) Value(key any) any {
	if key == (wholeStateKey{}) {
		return c.whole
	}
	return c.Context.Value(key)
}
