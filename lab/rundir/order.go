package rundir

import "time"

// Order is one order as the client saw it: a line of orders.jsonl.
type Order struct {
	Form       string    `json:"form"`
	Number     int       `json:"number"`
	ID         string    `json:"id,omitempty"`
	Intended   time.Time `json:"intended_start"`
	StartLag   int64     `json:"start_lag_ns"`   // from the intended to the real start: the generator's own delay
	Response   int64     `json:"response_ns"`    // from the intended start to the answer's end
	CallerWait int64     `json:"caller_wait_ns"` // from the real start to the answer's end, by the client's clock
	Status     int       `json:"status"`         // of HTTP; 0 when no answer came
	Error      string    `json:"error,omitempty"`
	Outcome    string    `json:"outcome,omitempty"` // what became of it: completed, failed, pending, refused, unknown, lost or forgotten
	Hit        []string  `json:"hit_by,omitempty"`  // the faults that hit it
	During     []string  `json:"during,omitempty"`  // the events and disturbed links that lasted while it was under way
	Trace      string    `json:"trace_id"`
	Incomplete string    `json:"incomplete,omitempty"` // why its journey is in no figure
	Reads      []Read    `json:"reads,omitempty"`
}

// Read is one look at an order after its answer.
type Read struct {
	After int64 `json:"after_ns"` // from the answer's end until the question was sent
	Done  bool  `json:"done"`     // the order was completed
}

// Answered reports whether the client got a 2xx answer.
func (o Order) Answered() bool { return o.Status >= 200 && o.Status < 300 }
