package rundir

// Provenance is where the figures of a run come from: the part of the manifest that every reader of the run can show.
type Provenance struct {
	Schema   string `json:"schema"`
	Run      string `json:"run"`
	Seed     uint64 `json:"seed"`
	Flow     string `json:"flow"`
	Topology string `json:"topology"` // an older name of flow
	// Unit is what an order of the flow is, where it is called otherwise: a ride.
	Unit     string `json:"unit,omitempty"`
	Relation string `json:"relation"`
	Broker   string `json:"broker"` // embedded, its addresses, or "of the target"
	// BrokerIs says in words what kind of broker that is, and of which version.
	BrokerIs string  `json:"broker_is"`
	Stores   string  `json:"stores"` // where services keep the state of orders: memory, or what the target has
	Machine  Machine `json:"machine"`
	Version  string  `json:"version"` // of the program
	Go       string  `json:"go"`
	Rate     float64 `json:"rate"`            // orders/s over all forms that were intended
	Surge    string  `json:"surge,omitempty"` // a part of the run in which the rate was a multiple of that, as --surge takes it
	// Clients is how many clients placed the orders in a closed loop, without a rate; 0: an open loop.
	Clients int `json:"clients,omitempty"`
	// ThinkMS is how long each of them thinks before an order.
	ThinkMS float64 `json:"think_ms,omitempty"`
	// Faults are those that the orders carried, as --fault takes them.
	Faults []string `json:"faults"`
	Events []string `json:"events,omitempty"` // what was done to parts of the lab, as --event takes it
	Links  []string `json:"links,omitempty"`  // ways between parts that were disturbed, as --link takes them
	// WorkersOf are the calls and records that services work on at a time, of those that were told to on the command line.
	WorkersOf map[string]int `json:"workers_of,omitempty"`
	// Instances is how many instances of a service ran, of those that had several.
	Instances map[string]int `json:"instances,omitempty"`
	// Partitions is how many partitions its topics were made with, when that was said on the command line.
	Partitions int      `json:"partitions,omitempty"`
	Target     string   `json:"target,omitempty"` // the gateway of services elsewhere
	WarmUp     int      `json:"warm_up_orders"`   // of each form; in no figure
	WarmedUp   WarmUp   `json:"warm_up"`
	FormOrder  []string `json:"form_order"`           // the forms, in the order in which they are shown
	StepOrder  []string `json:"step_order,omitempty"` // the flow's steps, likewise
	// NestedForms are the forms whose calls nest: who is called carries on.
	NestedForms []string `json:"nested_forms,omitempty"`
	// ViewForms are the forms that read a view in the place of steps: they do less work than the others.
	ViewForms  []string `json:"view_forms,omitempty"`
	Base       string   `json:"base,omitempty"`        // the form that the others are compared with
	EndedEarly bool     `json:"ended_early,omitempty"` // before all orders were placed, or were final
	// Generator tells whether the times are the generator's, Starvation whether they are the machine's.
	Generator  Generator  `json:"generator"`
	Starvation Starvation `json:"starvation"`
}

// WarmUp is what was placed before the orders of a run, and left out of everything.
type WarmUp struct {
	Windows int    `json:"windows"` // each of the same orders
	Warm    bool   `json:"warm"`    // the median caller waits of the last two windows agree, in every form
	Why     string `json:"why"`     // in words
}

// Doubt says why the services may not have been warm, "" when nothing is known: one window has nothing to agree with.
func (w WarmUp) Doubt() string {
	if w.Warm || w.Windows <= 1 {
		return ""
	}
	return "the services may not have been warm: " + w.Why
}

// Machine is what a run ran on.
type Machine struct {
	OS    string `json:"os"`
	Arch  string `json:"arch"`
	CPU   string `json:"cpu,omitempty"` // its model, where the system tells
	Cores int    `json:"cores"`         // that the process may use
}
