package lab

import (
	"fmt"

	"tracelab/services"
)

// Accounts are the three sums of one form, from the orders' own state and from what the client got, never from spans:
// placed = accepted + refused, accepted = completed + failed + pending, placed = answered + errors + unanswered.
type Accounts struct {
	Placed     int `json:"placed"`
	Accepted   int `json:"accepted"` // orders has recorded it
	Refused    int `json:"refused"`  // placed, and orders has no such order
	Completed  int `json:"completed"`
	Failed     int `json:"failed"`
	Pending    int `json:"pending"`
	Answered   int `json:"answered"`   // 2xx
	Errors     int `json:"errors"`     // another answer
	Unanswered int `json:"unanswered"` // nothing in time
}

// Problems lists the sums that do not hold, and what is left over at the end of a run: an order that is pending.
func (a Accounts) Problems() []string {
	var wrong []string
	if a.Placed != a.Accepted+a.Refused {
		wrong = append(wrong, fmt.Sprintf("accounts do not balance: placed %d is not accepted %d + refused %d", a.Placed, a.Accepted, a.Refused))
	}
	if a.Accepted != a.Completed+a.Failed+a.Pending {
		wrong = append(wrong, fmt.Sprintf("accounts do not balance: accepted %d is not completed %d + failed %d + pending %d", a.Accepted, a.Completed, a.Failed, a.Pending))
	}
	if a.Placed != a.Answered+a.Errors+a.Unanswered {
		wrong = append(wrong, fmt.Sprintf("accounts do not balance: placed %d is not answered %d + errors %d + unanswered %d", a.Placed, a.Answered, a.Errors, a.Unanswered))
	}
	if a.Pending > 0 {
		wrong = append(wrong, fmt.Sprintf("%d orders are pending: accepted, and neither completed nor failed by the deadline", a.Pending))
	}
	return wrong
}

// account sums one form up. An order that the client was told of and orders does not know, or one that orders has
// twice, makes the first sum fail: that is a lost or a doubled order.
func account(form services.Form, placed []order, states []services.State) Accounts {
	var a Accounts
	recorded := map[int]bool{}
	for _, s := range states {
		if s.Form != form {
			continue
		}
		recorded[s.Number] = true
		a.Accepted++
		switch s.Status {
		case services.Completed:
			a.Completed++
		case services.Failed:
			a.Failed++
		default:
			a.Pending++
		}
	}
	for _, o := range placed {
		if o.Form != string(form) {
			continue
		}
		a.Placed++
		switch {
		case o.Answered():
			a.Answered++
		case o.Status != 0:
			a.Errors++
		default:
			a.Unanswered++
		}
		if !recorded[o.Number] && o.ID == "" {
			a.Refused++
		}
	}
	return a
}
