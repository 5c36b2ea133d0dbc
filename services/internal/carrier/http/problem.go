package http

import (
	"cmp"
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"

	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
)

// Problem is the body of every error answer (RFC 9457).
type Problem struct {
	Type     string        `json:"type"` // "/problems/" and the reason
	Title    string        `json:"title"`
	Status   int           `json:"status"`
	Detail   string        `json:"detail,omitempty"`
	Instance string        `json:"instance,omitempty"` // the order's address, when there is an order
	Failures []StepFailure `json:"failures,omitempty"` // the steps that failed
}

// StepFailure is one entry of a problem's failures.
type StepFailure struct {
	Step   string `json:"step"`
	Reason string `json:"reason"`
	Detail string `json:"detail,omitempty"`
}

const problemTypes = "/problems/"

// orderPath is the address of the failed order at the gateway; "" when there is none, or no flow says where orders are.
func orderPath(failed *carrier.Failed) string {
	if failed.OrderID == "" || failed.Terms == nil {
		return ""
	}
	return failed.Terms.Path + "/" + failed.OrderID
}

// problemOf is the document for a failure.
func problemOf(failed *carrier.Failed) Problem {
	p := Problem{
		Type: problemTypes + failed.Reason(), Title: http.StatusText(failed.Status()), Status: failed.Status(),
		Detail: failed.Error(), Instance: orderPath(failed),
	}
	for _, f := range failed.Failures {
		if f.GetStep() != "" {
			p.Failures = append(p.Failures, StepFailure{f.GetStep(), f.GetReason(), f.GetDetail()})
		}
	}
	return p
}

// failed reads a problem back into the failure that it was made of.
func (p Problem) failed() *carrier.Failed {
	f := &carrier.Failed{OrderID: p.Instance[strings.LastIndex(p.Instance, "/")+1:]}
	for _, s := range p.Failures {
		f.Failures = append(f.Failures, &orderpb.Failure{Step: s.Step, Reason: cmp.Or(s.Reason, carrier.Internal), Detail: s.Detail})
	}
	if len(f.Failures) == 0 {
		reason := carrier.Internal
		if len(p.Type) > len(problemTypes) {
			reason = p.Type[len(problemTypes):]
		}
		f.Failures = carrier.Fail("", reason, p.Detail).Failures
	}
	return f
}

// WriteProblem answers with the failure's problem document, and with the order's address when there is an order: a
// client that only looks at the headers can follow it up too. Retry-After is in whole seconds.
func WriteProblem(w http.ResponseWriter, failed *carrier.Failed) {
	w.Header().Set("Content-Type", "application/problem+json")
	if path := orderPath(failed); path != "" {
		w.Header().Set("Location", path)
	}
	if failed.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(failed.RetryAfter.Seconds()))))
	}
	w.WriteHeader(failed.Status())
	// The status is out; a client that has gone away cannot be told more.
	_ = json.NewEncoder(w).Encode(problemOf(failed))
}

// WriteJSON answers with a JSON document.
func WriteJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // as above
}
