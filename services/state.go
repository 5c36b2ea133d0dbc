package services

import (
	"encoding/json"
	"maps"

	"tracelab/services/internal/carrier"
)

// Status is where an order stands, as far as the service that keeps the accounts has heard.
type Status string

// An order is accepted until it is completed or failed; those two are final.
const (
	Accepted  Status = "accepted"
	Completed Status = "completed"
	Failed    Status = "failed"
)

// State is what the service that keeps the accounts knows of one order: the body of GET /orders/{id}. See MarshalJSON for its names.
type State struct {
	ID     string
	Status Status
	Run    string
	Form   Form
	Number int
	// Body has the fields that were placed. In JSON they stand beside the others.
	Body     map[string]any
	Steps    []Step // done, as far as that service has heard
	Failures []StepFailure
}

// StepFailure is a step that failed, and why.
type StepFailure struct {
	Step   string `json:"step"`
	Reason string `json:"reason"`
	Detail string `json:"detail,omitempty"`
	// Attempts is the number of failed attempts; 0 for one. DeadLetter says that the step's message was dead-lettered.
	Attempts   int  `json:"attempts,omitempty"`
	DeadLetter bool `json:"dead_letter,omitempty"`
}

// CutOff reports whether the step failed because its caller gave up or could not reach it. Such a step may have begun
// all the same, see MayHaveBegun.
func (f StepFailure) CutOff() bool { return f.MayHaveBegun() || f.Reason == carrier.Unreachable }

// MayHaveBegun reports whether the call of the step was cut off when it may have been sent already. One for which no connection could be made was not.
func (f StepFailure) MayHaveBegun() bool {
	return f.Reason == carrier.Cancelled || f.Reason == carrier.Timeout || f.Reason == carrier.Unavailable
}

// Refused reports whether the step was not begun because a breaker, a bulkhead or a full queue refused the call.
func (f StepFailure) Refused() bool { return carrier.Refused(f.Reason) }

// stateFields are the members of a state's JSON that every flow has. A flow's body has none of these names.
type stateFields struct {
	ID       string        `json:"id"`
	Status   Status        `json:"status"`
	Run      string        `json:"run,omitempty"`
	Form     Form          `json:"form"`
	Number   int           `json:"number"`
	Steps    []Step        `json:"steps"`
	Failures []StepFailure `json:"failures,omitempty"`
}

// MarshalJSON writes one object: id, status, run, form, number, steps and failures, and the fields of the body.
func (s State) MarshalJSON() ([]byte, error) {
	fixed, err := json.Marshal(stateFields{s.ID, s.Status, s.Run, s.Form, s.Number, s.Steps, s.Failures})
	if err != nil || len(s.Body) == 0 {
		return fixed, err
	}
	body, err := json.Marshal(s.Body)
	if err != nil {
		return nil, err
	}
	return append(append(fixed[:len(fixed)-1], ','), body[1:]...), nil
}

// UnmarshalJSON reads what MarshalJSON writes. Numbers of the body become float64.
func (s *State) UnmarshalJSON(text []byte) error {
	var fixed stateFields
	if err := json.Unmarshal(text, &fixed); err != nil {
		return err
	}
	var body map[string]any
	if err := json.Unmarshal(text, &body); err != nil {
		return err
	}
	maps.DeleteFunc(body, func(name string, _ any) bool {
		switch name {
		case "id", "status", "run", "form", "number", "steps", "failures":
			return true
		}
		return false
	})
	*s = State{ID: fixed.ID, Status: fixed.Status, Run: fixed.Run, Form: fixed.Form, Number: fixed.Number, Body: body, Steps: fixed.Steps, Failures: fixed.Failures}
	return nil
}
