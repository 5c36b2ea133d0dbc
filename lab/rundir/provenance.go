package rundir

// Provenance is where the figures of a run come from: the part of the manifest that every reader of the run can show.
type Provenance struct {
	Schema   string  `json:"schema"`
	Run      string  `json:"run"`
	Seed     uint64  `json:"seed"`
	Topology string  `json:"topology"`
	Relation string  `json:"relation"`
	Broker   string  `json:"broker"`
	Version  string  `json:"version"` // of the program
	Go       string  `json:"go"`
	Rate     float64 `json:"rate"` // orders/s over all forms that were intended
	// Faults are those that the orders carried, as --fault takes them.
	Faults []string `json:"faults"`
	Target string   `json:"target,omitempty"` // the gateway of services elsewhere
	WarmUp int      `json:"warm_up_orders"`   // of each form; in no figure
	Base   string   `json:"base,omitempty"`   // the form that the others are compared with
}
