package lab

import (
	"fmt"

	"tracelab/services"
)

// Accounts are the three sums of one form, from the orders' own state and from what the client got, never from spans:
// placed = accepted + refused + unknown, accepted = completed + failed + pending, placed = answered + errors + unanswered.
type Accounts struct {
	Placed   int `json:"placed"`
	Accepted int `json:"accepted"` // orders has recorded it
	Refused  int `json:"refused"`  // the client was told of an error, and orders has no such order
	// Unknown are those of which the client was told nothing, and orders has no such order; also those whose call was cut off, when orders has forgotten
	// its orders since: it may have had them.
	Unknown   int `json:"unknown"`
	Completed int `json:"completed"`
	Failed    int `json:"failed"`
	Pending   int `json:"pending"`
	// PendingLost are those of the pending orders that went on in the memory of a process that has ended, such as a mailbox: nobody carries on with
	// them. A store in memory does not know of them: they are among the lost ones.
	PendingLost int `json:"pending_lost,omitempty"`
	Answered    int `json:"answered"`   // 2xx
	Errors      int `json:"errors"`     // another answer
	Unanswered  int `json:"unanswered"` // nothing in time
	// Forgotten are the accepted orders whose own state orders forgot before the run had read it: they are in the sums, and
	// nothing else is known of them.
	Forgotten int `json:"forgotten,omitempty"`
	// Lost are the orders that an instance of the service that keeps them accepted, and that were gone with its memory when it was ended.
	Lost int `json:"lost,omitempty"`
}

// Problems lists the sums that do not hold, and what is left over at the end of a run: an order that is pending.
func (a Accounts) Problems() []string {
	wrong := a.Imbalances()
	if pending := a.pending("order"); pending != "" {
		wrong = append(wrong, pending)
	}
	return wrong
}

// Imbalances lists the sums that do not hold.
func (a Accounts) Imbalances() []string {
	var wrong []string
	if a.Placed != a.Accepted+a.Refused+a.Unknown+a.Lost {
		wrong = append(wrong, fmt.Sprintf("accounts do not balance: placed %d is not accepted %d + refused %d + unknown %d + lost %d", a.Placed, a.Accepted, a.Refused, a.Unknown, a.Lost))
	}
	if a.Accepted != a.Completed+a.Failed+a.Pending {
		wrong = append(wrong, fmt.Sprintf("accounts do not balance: accepted %d is not completed %d + failed %d + pending %d", a.Accepted, a.Completed, a.Failed, a.Pending))
	}
	if a.Placed != a.Answered+a.Errors+a.Unanswered {
		wrong = append(wrong, fmt.Sprintf("accounts do not balance: placed %d is not answered %d + errors %d + unanswered %d", a.Placed, a.Answered, a.Errors, a.Unanswered))
	}
	return wrong
}

// pending says that orders are left over, or "".
func (a Accounts) pending(u unitWord) string {
	if a.Pending == 0 {
		return ""
	}
	text := fmt.Sprintf("%s pending: accepted, and neither completed nor failed by the deadline", u.count(a.Pending, "is", "are"))
	if a.PendingLost > 0 {
		text += fmt.Sprintf("; %d of them lost: they went on in the memory of a process that has ended", a.PendingLost)
	}
	return text
}

// count writes a number with its noun.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// account sums one form up, from the sums that orders keeps: they remember the orders that it has forgotten. An order
// that the client was told of and orders does not know, or one that orders has twice, makes the first sum fail: that is a
// lost or a doubled order.
func (j *judge) account(form services.Form, recorded services.Accounts) Accounts {
	a := Accounts{Accepted: recorded.Accepted, Completed: recorded.Completed, Failed: recorded.Failed, Pending: recorded.Pending, PendingLost: recorded.Lost}
	for _, r := range j.records[form] {
		if r == nil || !r.placed {
			continue
		}
		a.Placed++
		switch {
		case r.Answered():
			a.Answered++
		case r.Status != 0:
			a.Errors++
		default:
			a.Unanswered++
		}
		if r.forgotten {
			a.Forgotten++
		}
		switch {
		case r.status != "" || r.ID != "" || r.forgotten:
		case r.untold():
			a.Unknown++
		default:
			a.Refused++
		}
	}
	return a
}

// untold tells whether nobody can say if the order was accepted: no answer came, or one that its call was cut off, and orders has forgotten what it had.
func (r *record) untold() bool { return r.Status == 0 || r.open }

// forgetful notes that orders has forgotten what it had accepted: that it has no such order says nothing any more of one whose call was cut off.
func (j *judge) forgetful() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, r := range j.placed {
		r.open = r.cutOff()
	}
}

// cutOff tells whether the client was told that its call was cut off after it may have been sent: the service of the entry step may have had the order.
func (o order) cutOff() bool { return services.StepFailure{Reason: o.Error}.MayHaveBegun() }

// outcome is what became of an order, for orders.jsonl.
func (r *record) outcome() string {
	switch {
	case r.forgotten:
		return "forgotten"
	case r.status == "" && r.ID == "" && r.untold():
		return "unknown"
	case r.status == "" && r.ID == "":
		return "refused"
	case r.status == "":
		return "lost"
	case r.status == services.Accepted:
		return "pending"
	}
	return string(r.status)
}
