package verdict

import (
	"errors"
	"fmt"
	"math"
)

// Corners are a figure of the same orders in four forms: calls or messages, answered when done or early. The value at a position
// belongs to the same order in each; a failed order is +Inf.
type Corners struct {
	CallsDone, CallsEarly, MessagesDone, MessagesEarly []float64
}

// Effects are what the early answer and the broker change, each for itself: medians of the differences, paired by order.
type Effects struct {
	EarlyAmongCalls    Estimate // CallsEarly − CallsDone
	EarlyAmongMessages Estimate // MessagesEarly − MessagesDone
	BrokerWhenDone     Estimate // MessagesDone − CallsDone
	BrokerWhenEarly    Estimate // MessagesEarly − CallsEarly
	Interaction        Estimate // EarlyAmongMessages − EarlyAmongCalls, order by order

	early, broker Estimate
}

// Effects estimates the four simple effects and their interaction. Source and limits: as PairedMedian.
func (c Corners) Effects() (Effects, error) {
	n := len(c.CallsDone)
	err := errors.Join(equalLengths(n, len(c.CallsEarly)), equalLengths(n, len(c.MessagesDone)), equalLengths(n, len(c.MessagesEarly)))
	if err != nil {
		return Effects{}, err
	}
	var earlyCalls, earlyMessages, brokerDone, brokerEarly, interaction, early, broker []between
	for i := range n {
		cd, ce, md, me := exactly(c.CallsDone[i]), exactly(c.CallsEarly[i]), exactly(c.MessagesDone[i]), exactly(c.MessagesEarly[i])
		for _, v := range []between{cd, ce, md, me} {
			if math.IsNaN(v.low) {
				return Effects{}, fmt.Errorf("order %d has a value that is not a number: an order that failed is +Inf", i+1)
			}
		}
		ec, em, bd, be := ce.minus(cd), me.minus(md), md.minus(cd), me.minus(ce)
		earlyCalls, earlyMessages = append(earlyCalls, ec), append(earlyMessages, em)
		brokerDone, brokerEarly = append(brokerDone, bd), append(brokerEarly, be)
		interaction = append(interaction, em.minus(ec))
		early, broker = append(early, ec.plus(em).half()), append(broker, bd.plus(be).half())
	}
	return Effects{
		EarlyAmongCalls: medianOf(earlyCalls), EarlyAmongMessages: medianOf(earlyMessages),
		BrokerWhenDone: medianOf(brokerDone), BrokerWhenEarly: medianOf(brokerEarly),
		Interaction: medianOf(interaction), early: medianOf(early), broker: medianOf(broker),
	}, nil
}

// Main returns one effect of the early answer and one of the broker, each the mean of its two simple effects. It returns false
// unless the interaction is shown to lie within ±δ: else there is no one effect.
func (e Effects) Main(delta float64) (early, broker Estimate, ok bool) {
	low, high := e.Interaction.Interval(confidence)
	if Within(0, delta).judge(low, high) != Holds {
		return Estimate{}, Estimate{}, false
	}
	return e.early, e.broker, true
}
