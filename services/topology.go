package services

import (
	"slices"
	"strings"

	"tracelab/internal/vocabulary"
)

// The services of a lab, by the value of their service.name.
const (
	Gateway      = "gateway"
	Orders       = "orders"
	Inventory    = "inventory"
	Payment      = "payment"
	Shipping     = "shipping"
	Notification = "notification"
	Analytics    = "analytics"
)

// Names lists the services in the order of the flow.
func Names() []string {
	return []string{Gateway, Orders, Inventory, Payment, Shipping, Notification, Analytics}
}

// Step is what one service does for an order, named SERVICE.Verb: the name of its span in every form.
type Step string

// The steps of the flow.
const (
	Accept   Step = "orders.Accept"
	Reserve  Step = "inventory.Reserve"
	Charge   Step = "payment.Charge"
	Dispatch Step = "shipping.Dispatch"
	Notify   Step = "notification.Notify"
	Record   Step = "analytics.Record"
	Complete Step = "orders.Complete"
)

// Service is the service that does the step.
func (s Step) Service() string { service, _, _ := strings.Cut(string(s), "."); return service }

// Verb is what the step does, in lower case: the last part of its HTTP path.
func (s Step) Verb() string { _, verb, _ := strings.Cut(string(s), "."); return strings.ToLower(verb) }

// Steps lists the steps in the order of the flow.
func Steps() []Step { return []Step{Accept, Reserve, Charge, Dispatch, Notify, Record, Complete} }

// Form is one way to carry the hops of a topology: a column of the table.
type Form string

// The four forms, in the order of the table's columns.
const (
	REST   Form = "rest"
	GRPC   Form = "grpc"
	Kafka  Form = "kafka"
	Hybrid Form = "hybrid"
)

// Forms lists the forms in the order of the table's columns.
func Forms() []Form { return []Form{REST, GRPC, Kafka, Hybrid} }

// ParseForm finds a form by its name.
func ParseForm(name string) (Form, error) {
	var names []string
	for _, form := range Forms() {
		if string(form) == name {
			return form, nil
		}
		names = append(names, string(form))
	}
	return "", &vocabulary.UnknownError{What: "form", Word: name, Known: names}
}

// CheckService tells whether there is a service of that name.
func CheckService(name string) error {
	if slices.Contains(Names(), name) {
		return nil
	}
	return &vocabulary.UnknownError{What: "service", Word: name, Known: Names()}
}

// Carrier is what takes an order over one hop.
type Carrier string

// A call blocks its caller until the step is done (http, grpc); a message hands the plan over; local is no hop at all:
// the service that holds the plan does the step itself.
const (
	HTTP    Carrier = "http"
	RPC     Carrier = "grpc"
	Message Carrier = "message"
	Local   Carrier = "local"
)

// Hop is one row of a topology: how one step leads to the next.
type Hop struct {
	Step  Step
	After []Step           // none: the gateway leads to it
	By    map[Form]Carrier // one for each form
	Topic string           // where its message is published, when it is a message
}

// Topology is a table of hops.
type Topology struct {
	Name string
	Hops []Hop
	// Chained: the callee of a call carries on from there, so calls nest. Otherwise a call does its step and returns,
	// and its caller keeps the plan.
	Chained bool
}

// FailureTopic takes the failures that end an order behind a message, from any service to orders.
const FailureTopic = "order.failed"

// fulfilledTopic takes the branches that orders joins.
const fulfilledTopic = "order.fulfilled"

// The names of the tables.
const orderName, chainedName = "order", "chained"

// OrderTopology is the main table: rows are hops, columns are forms, so two forms cannot differ in what they do.
func OrderTopology() Topology {
	row := func(step Step, topic string, by [4]Carrier, after ...Step) Hop {
		return Hop{Step: step, After: after, By: map[Form]Carrier{REST: by[0], GRPC: by[1], Kafka: by[2], Hybrid: by[3]}, Topic: topic}
	}
	type by = [4]Carrier
	return Topology{Name: orderName, Hops: []Hop{
		//                              rest   grpc   kafka    hybrid
		row(Accept, "", by{HTTP, RPC, RPC, RPC}),
		row(Reserve, "order.placed", by{HTTP, RPC, Message, RPC}, Accept),
		row(Charge, "stock.reserved", by{HTTP, RPC, Message, Message}, Reserve),
		row(Dispatch, "payment.captured", by{HTTP, RPC, Message, Message}, Charge),
		row(Notify, "payment.captured", by{HTTP, RPC, Message, Message}, Charge),
		row(Record, "payment.captured", by{HTTP, RPC, Message, Message}, Charge),
		row(Complete, fulfilledTopic, by{Local, Local, Message, Message}, Dispatch, Notify, Record),
	}}
}

// ChainedTopology is the same table with calls that nest: each callee carries on, so a wait anywhere is felt by
// everybody in front of it. Messages are the same in both.
func ChainedTopology() Topology {
	t := OrderTopology()
	t.Name, t.Chained = chainedName, true
	return t
}

// Topologies lists the tables by name.
func Topologies() []Topology { return []Topology{OrderTopology(), ChainedTopology()} }

// TopologyNamed finds a table. It makes no other: every hop of an order asks.
func TopologyNamed(name string) (Topology, error) {
	if err := checkTopology(name); err != nil {
		return Topology{}, err
	}
	if name == chainedName {
		return ChainedTopology(), nil
	}
	return OrderTopology(), nil
}

// checkTopology tells whether there is a table of that name.
func checkTopology(name string) error {
	if name == orderName || name == chainedName {
		return nil
	}
	return &vocabulary.UnknownError{What: "topology", Word: name, Known: []string{orderName, chainedName}}
}

// Hop is the row of a step.
func (t Topology) Hop(step Step) (Hop, bool) {
	i := slices.IndexFunc(t.Hops, func(h Hop) bool { return h.Step == step })
	if i < 0 {
		return Hop{}, false
	}
	return t.Hops[i], true
}

// Topics lists the topics of the table and the one of failures, each once.
func (t Topology) Topics() []string {
	topics := []string{FailureTopic}
	for _, hop := range t.Hops {
		if hop.Topic != "" && !slices.Contains(topics, hop.Topic) {
			topics = append(topics, hop.Topic)
		}
	}
	return topics
}

// Without lists the steps that are reached when the failed ones are not done: all but those behind them. The failed
// steps themselves were tried, so they are in the list.
func (t Topology) Without(failed ...Step) []Step {
	var reached []Step
	lost := map[Step]bool{}
	for _, hop := range t.Hops { // rows stand behind the rows that they come after
		if slices.ContainsFunc(hop.After, func(s Step) bool { return lost[s] || slices.Contains(failed, s) }) {
			lost[hop.Step] = true
			continue
		}
		reached = append(reached, hop.Step)
	}
	return reached
}

// Deliveries counts, for each topic, the times that a consumer handles a record of an order of that form: one for
// each service that the hop leads to and each step that it comes after. Failed steps publish nothing but their
// failure.
func (t Topology) Deliveries(form Form, failed ...Step) map[string]int {
	deliveries := map[string]int{}
	reached := t.Without(failed...)
	for _, hop := range t.Hops {
		if hop.By[form] != Message {
			continue
		}
		for _, step := range hop.After {
			if slices.Contains(reached, step) && !slices.Contains(failed, step) {
				deliveries[hop.Topic]++
			}
		}
	}
	for _, step := range failed {
		if t.ReportsFailure(form, step) {
			deliveries[FailureTopic]++
		}
	}
	return deliveries
}

// ReportsFailure tells whether a failure of the step travels by message, because a message led to the service that
// holds the plan by then; otherwise it is the answer to a call.
func (t Topology) ReportsFailure(form Form, step Step) bool {
	for hop, ok := t.Hop(step); ok; {
		if hop.By[form] == Message {
			return true
		}
		if len(hop.After) == 0 {
			return false
		}
		hop, ok = t.Hop(hop.After[0])
	}
	return false
}

// EndsInCall tells whether the whole plan of a form ends within the client's call: 201 rather than 202.
func (t Topology) EndsInCall(form Form) bool {
	return !slices.ContainsFunc(t.Hops, func(h Hop) bool { return h.By[form] == Message })
}
