package lab

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"tracelab/journey/compare"
	"tracelab/services"
	"tracelab/services/flows"
)

// The effects of the square.
const (
	EarlyWithCalls    = "early answer with calls"
	EarlyWithMessages = "early answer with messages"
	BrokerWhenDone    = "broker when done"
	BrokerWhenEarly   = "broker when early"
	Interaction       = "interaction"
)

// squareEffect is one side of the square that the four corners span, or how much two opposite sides differ.
type squareEffect struct {
	name        string
	base, other func(at corner) (float64, bool)
}

// SquareEffect is how much the early answer or the broker changes a measure, order by order.
type SquareEffect struct {
	// Effect is early answer with calls, early answer with messages, broker when done, broker when early, or interaction: how much more the early
	// answer changes with messages than with calls.
	Effect string `json:"effect"`
	compare.Difference
	Marked string `json:"marked"`
}

// corner reads the value of one order in a form.
type corner func(services.Form) (float64, bool)

// squareEffects lists the four simple effects and the interaction.
func squareEffects(c flows.Corners) []squareEffect {
	in := func(form services.Form) func(corner) (float64, bool) {
		return func(at corner) (float64, bool) { return at(form) }
	}
	minus := func(a, b services.Form) func(corner) (float64, bool) {
		return func(at corner) (float64, bool) {
			x, ok := at(a)
			y, too := at(b)
			return x - y, ok && too
		}
	}
	return []squareEffect{
		{EarlyWithCalls, in(c.Calls), in(c.Ack)}, {EarlyWithMessages, in(c.Reply), in(c.Messages)},
		{BrokerWhenDone, in(c.Calls), in(c.Reply)}, {BrokerWhenEarly, in(c.Ack), in(c.Messages)},
		{Interaction, minus(c.Ack, c.Calls), minus(c.Messages, c.Reply)},
	}
}

// square compares the four corners, when the run has all of them.
func (r *running) square(marked string) []SquareEffect {
	_, corners, err := r.Flow.WithCorners()
	if err != nil {
		return nil
	}
	for _, form := range corners.Forms() {
		if r.judge.records[form] == nil {
			return nil
		}
	}
	var list []SquareEffect
	for _, measure := range []string{compare.CallerWait, compare.Completion} {
		for _, effect := range squareEffects(corners) {
			var base, other []float64
			for number := range r.judge.records[corners.Calls] {
				at := func(form services.Form) (float64, bool) {
					return r.judge.records[form][number].value(measureIndex(measure))
				}
				x, ok := effect.base(at)
				y, too := effect.other(at)
				if ok && too {
					base, other = append(base, x), append(other, y)
				}
			}
			if len(base) == 0 {
				continue
			}
			d := compare.Paired(base, other)
			d.Measure = measure
			list = append(list, SquareEffect{Effect: effect.name, Difference: d, Marked: marked})
		}
	}
	return list
}

// square writes the effects for a person.
func (r *Result) square(b *strings.Builder) {
	if len(r.Square) == 0 {
		return
	}
	fmt.Fprintf(b, "The square, %s by %[1]s: what the early answer and the broker change, and how much more the one changes with the other:\n", r.unit())
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, s := range r.Square {
		measure := "caller wait"
		if s.Measure == compare.Completion {
			measure = "completion"
		}
		line(t, []string{"  " + s.Effect, measure, withMark(s.String(), s.Marked)})
	}
	_ = t.Flush() // a strings.Builder takes all
	b.WriteString("\n")
}
