package services

import (
	"encoding/json"
	"maps"
)

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
