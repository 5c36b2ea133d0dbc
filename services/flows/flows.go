// Package flows holds what the services do as data: a flow is a table of steps as rows and forms as columns, read from a YAML file.
// Rows say what is done and what it costs; columns say what carries each hop. So two forms of a flow cannot differ in what they do.
//
// flows.go is the model, parse.go and its neighbors read it, check.go refuses what cannot run, plan.go works out who carries on where.
package flows

import (
	"slices"
	"strings"
	"time"

	"tracelab/internal/vocabulary"
)

// Step is what one service does for a unit, named SERVICE.Verb: the name of its span in every form.
type Step string

// Service is the service that does the step.
func (s Step) Service() string { service, _, _ := strings.Cut(string(s), "."); return service }

// Verb is what the step does: the name of its gRPC method.
func (s Step) Verb() string { _, verb, _ := strings.Cut(string(s), "."); return verb }

// Form is the name of one way to carry the hops of a flow: of a column.
type Form string

// Forms that many flows have. A flow may name others.
const (
	REST   Form = "rest"
	GRPC   Form = "grpc"
	Kafka  Form = "kafka"
	Hybrid Form = "hybrid"
)

// Carrier is what takes a unit over one hop.
type Carrier string

// The carriers. A call (http, grpc) blocks its caller until the step is done; a message (kafka, rabbitmq) hands the plan over. By graphql the
// calls that can be made at the same time are the fields of one query, each of which is resolved by a call over gRPC. Local is no hop at all:
// the service that holds the plan does the step itself. A file never says local; see Plan.
const (
	HTTP     Carrier = "http"
	RPC      Carrier = "grpc"
	GraphQL  Carrier = "graphql"
	KafkaLog Carrier = "kafka"
	RabbitMQ Carrier = "rabbitmq"
	Local    Carrier = "local"
)

// Carriers lists what a file may name.
func Carriers() []Carrier { return []Carrier{HTTP, RPC, GraphQL, KafkaLog, RabbitMQ} }

// IsMessage tells whether the carrier hands the plan over.
func (c Carrier) IsMessage() bool { return c == KafkaLog || c == RabbitMQ }

// Gateway is the service in front of every flow: it is in none of the rows.
const Gateway = "gateway"

// Flow is a table of steps and forms.
type Flow struct {
	Name    string
	Path    string // of the unit's resource at the gateway: /orders
	Unit    string // what the flow is done for: order
	What    string // one sentence about it
	Body    []Field
	Reasons map[string]int // a reason for which a step may refuse a unit, and the HTTP status that tells of it
	Default Form           // of a unit that is placed by hand
	// Timeout bounds what is carried on behind the client's answer, by calls; 0: the file says nothing of it.
	Timeout time.Duration
	// Outbox tells whether the first messages of units go out by way of an outbox, for the forms that say nothing of it themselves.
	Outbox  Switch
	Rows    []Row // each stands behind the rows that lead to it
	Columns []Column
}

// Row is a step and what leads to it.
type Row struct {
	Step    Step
	After   []Step // empty for the first one: the gateway leads to it
	Message string // the topic that leads to it in the forms where that is a message; "" when it never is
	Cost    Cost
	// When and Share say which units pass through the step; the others go from what leads to it to what comes after.
	When  *Condition
	Share float64 // of the units, drawn by seed, number and step; 1 unless said
	Retry Retry   // of the step when it has failed; zero: it is not tried again
	Policies
}

// Condition holds for units with a value in their body.
type Condition struct{ Field, Value string }

// Column is one form: what carries each step, and who carries on.
type Column struct {
	Form Form
	By   map[Step]Carrier // for every row
	// Batches says which messages are handled together, and how many; the others are handled each by itself.
	Batches map[Step]Batch
	// View is read in the place of the steps of some services; nil: no step is left out.
	View *View
	// Callee says that who is called carries on from there, so that calls nest. Otherwise a call does its step and returns, and
	// its caller keeps the plan.
	Callee bool
	// Answer is the step behind which the client is answered, when the file says so: calls behind it are made afterwards. Waits says that the
	// client is answered when the unit is done or has failed, whatever carries it. Without both, the client is answered when all that the entry's
	// service holds is done or handed over.
	Answer Step
	Waits  bool
	// OneByOne says that who holds the plan makes one call at a time, in the order of the rows.
	OneByOne bool
	Outbox   Switch // see Flow.OutboxOf
}

// Row returns the row of a step.
func (f *Flow) Row(step Step) (Row, bool) {
	i := slices.IndexFunc(f.Rows, func(r Row) bool { return r.Step == step })
	if i < 0 {
		return Row{}, false
	}
	return f.Rows[i], true
}

// Column returns the column of a form.
func (f *Flow) Column(form Form) (Column, bool) {
	i := slices.IndexFunc(f.Columns, func(c Column) bool { return c.Form == form })
	if i < 0 {
		return Column{}, false
	}
	return f.Columns[i], true
}

// Entry is the first step: its service keeps the accounts and joins.
func (f *Flow) Entry() Step { return f.Rows[0].Step }

// Last is the step that completes a unit. It is the only one that nothing comes after, and of the entry's service.
func (f *Flow) Last() Step { return f.Rows[len(f.Rows)-1].Step }

// Steps lists the steps in the order of the rows.
func (f *Flow) Steps() []Step {
	steps := make([]Step, len(f.Rows))
	for i, row := range f.Rows {
		steps[i] = row.Step
	}
	return steps
}

// Services lists the services, the gateway first, in the order in which the rows name them.
func (f *Flow) Services() []string {
	names := []string{Gateway}
	for _, row := range f.Rows {
		if !slices.Contains(names, row.Step.Service()) {
			names = append(names, row.Step.Service())
		}
	}
	return names
}

// StepsOf lists the steps of a service.
func (f *Flow) StepsOf(service string) []Step {
	return slices.DeleteFunc(f.Steps(), func(s Step) bool { return s.Service() != service })
}

// CheckService tells whether there is a service of that name.
func (f *Flow) CheckService(name string) error {
	if slices.Contains(f.Services(), name) {
		return nil
	}
	return &vocabulary.UnknownError{What: "service", Word: name, Known: f.Services()}
}

// Forms lists the forms in the order of the columns.
func (f *Flow) Forms() []Form {
	forms := make([]Form, len(f.Columns))
	for i, column := range f.Columns {
		forms[i] = column.Form
	}
	return forms
}

// DefaultForms lists the forms that a run compares unless it is told: those of rest, grpc, kafka and hybrid that the flow has. When it has none of the
// four, these are all of them that need no RabbitMQ, which a run has only when it is given one; or all, when all need it.
func (f *Flow) DefaultForms() []Form {
	known := slices.DeleteFunc([]Form{REST, GRPC, Kafka, Hybrid}, func(form Form) bool { return !slices.Contains(f.Forms(), form) })
	if len(known) > 0 {
		return known
	}
	needed := f.FormsBy(RabbitMQ)
	if others := slices.DeleteFunc(f.Forms(), func(form Form) bool { return slices.Contains(needed, form) }); len(others) > 0 {
		return others
	}
	return needed
}

// ParseForm finds a form by its name.
func (f *Flow) ParseForm(name string) (Form, error) {
	if slices.Contains(f.Forms(), Form(name)) {
		return Form(name), nil
	}
	var names []string
	for _, form := range f.Forms() {
		names = append(names, string(form))
	}
	return "", &vocabulary.UnknownError{What: "form", Word: name, Known: names}
}

// FailureTopic takes the failures that end a unit behind a message, from any service to the entry's and to those that undo steps.
func (f *Flow) FailureTopic() string { return f.Unit + ".failed" }

// CompletedTopic tells instances of the entry's service of units that have become final at another one.
func (f *Flow) CompletedTopic() string { return f.Unit + ".completed" }

// Topics lists the topics of the flow, the one of failures first, each once. A flow without messages has none.
func (f *Flow) Topics() []string {
	topics := []string{f.FailureTopic()}
	if len(f.Views()) > 0 {
		topics = append(topics, f.ViewTopic())
	}
	for _, row := range f.Rows {
		if row.Message != "" && !slices.Contains(topics, row.Message) {
			topics = append(topics, row.Message)
		}
	}
	if len(topics) == 1 {
		return nil
	}
	return topics
}

// Carriers lists the carriers that the forms name, each once, in the order of Carriers.
func (f *Flow) Carriers() []Carrier {
	return slices.DeleteFunc(Carriers(), func(c Carrier) bool {
		return !slices.ContainsFunc(f.Columns, func(column Column) bool {
			return column.uses(c)
		})
	})
}

// uses tells whether a carrier takes a step of the form, or feeds its view.
func (c Column) uses(by Carrier) bool {
	if c.View != nil && c.View.Fed == by {
		return true
	}
	for step, carrier := range c.By {
		if carrier == by && !c.View.leavesOut(step) {
			return true
		}
	}
	return false
}

// FormsBy lists the forms in which a carrier takes at least one step, or feeds the view.
func (f *Flow) FormsBy(by Carrier) []Form {
	return slices.DeleteFunc(f.Forms(), func(form Form) bool {
		column, _ := f.Column(form)
		return !column.uses(by)
	})
}

// Consumes lists the topics that a service consumes from a message carrier, each once.
func (f *Flow) Consumes(service string, by Carrier) []string {
	var topics []string
	used := slices.Contains(f.Carriers(), by)
	undoes := slices.ContainsFunc(f.Undos(), func(undo Step) bool { return undo.Service() == service })
	if used && by.IsMessage() && (undoes || service == f.Entry().Service()) {
		topics = append(topics, f.FailureTopic())
		if view := f.ViewOf(f.Forms()...); view != nil && view.Fed == by {
			topics = append(topics, f.ViewTopic())
		}
	}
	for _, row := range f.Rows {
		if row.Step.Service() == service && row.Message != "" && !slices.Contains(topics, row.Message) &&
			slices.ContainsFunc(f.Columns, func(c Column) bool { return c.By[row.Step] == by }) {
			topics = append(topics, row.Message)
		}
	}
	return topics
}

// Consumers lists the services that consume each topic from a message carrier.
func (f *Flow) Consumers(by Carrier) map[string][]string {
	all := map[string][]string{}
	for _, topic := range f.Topics() {
		if services := f.consumers(topic, by); len(services) > 0 {
			all[topic] = services
		}
	}
	return all
}

// consumers lists the services that consume a topic from a message carrier.
func (f *Flow) consumers(topic string, by Carrier) []string {
	return slices.DeleteFunc(f.Services(), func(s string) bool { return !slices.Contains(f.Consumes(s, by), topic) })
}

// RPCService is the full name of a service in gRPC: tracelab.order.v1.Orders.
func (f *Flow) RPCService(service string) string {
	name := strings.ReplaceAll(service, "-", "_")
	return "tracelab." + strings.ReplaceAll(f.Name, "-", "_") + ".v1." + strings.ToUpper(name[:1]) + name[1:]
}
