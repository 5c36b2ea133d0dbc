package experiments

import (
	"context"
	"fmt"
	"strings"
	"time"

	"tracelab/experiments/verdict"
	"tracelab/journey"
	"tracelab/lab"
)

// Claim is a sentence that people repeat, and the experiment that judges it.
type Claim struct {
	Name      string        // as a command line names it: caller-wait
	Statement string        // the sentence
	Rule      string        // when it holds, in words
	Delta     Amount        // the smallest effect of interest
	Budget    time.Duration // that it takes at its default size, on two cores
	Size      Size          // its default size
	Kind      Kind
	Needs     Needs
	Signature Signature

	// Predict says what the model expects of a run of that size. It may be nil.
	Predict func(Size, Constants) ([]Prediction, error)
	// Measure runs labs and returns what they showed.
	Measure func(context.Context, *Lab) (Figures, error)
	// Decide says what figures mean. It depends on nothing but them.
	Decide func(Figures) (Decision, error)
	// Draw makes the plot that answers the claim's question. Nil: each figure with its interval and its prediction.
	Draw func(Figures) Plot

	// Alike changes every lab of the experiment so that its arms no longer differ: then the claim never holds.
	Alike func(*lab.Config)
	// Sabotages change the labs so that the verdict must change.
	Sabotages []Sabotage
}

// Amount is a figure with its unit.
type Amount struct {
	Value float64 `json:"value"`
	Unit  string  `json:"unit"` // ms, share, orders/s, …
}

// String writes the amount: 5 ms.
func (a Amount) String() string {
	if one, is := strings.CutSuffix(a.Unit, "s"); is && a.Value == 1 && len(one) > 1 { // 1 order, but 1 ms
		return "1 " + one
	}
	return fmt.Sprintf("%g %s", a.Value, a.Unit)
}

// duration is an amount of milliseconds as a duration, and 0 for any other unit.
func (a Amount) duration() time.Duration {
	if a.Unit != "ms" {
		return 0
	}
	return time.Duration(a.Value * float64(time.Millisecond))
}

// Size is how much an experiment does.
type Size struct {
	Orders int     `json:"orders"` // of each form in each run
	Rate   float64 `json:"rate"`   // orders/s over all forms of a run
	Seeds  int     `json:"seeds"`  // runs of each arm
	Seed   uint64  `json:"seed"`   // of the first run; the others have the next ones
}

// Kind says what the unit of an experiment is.
type Kind string

// The kinds.
const (
	Calm     Kind = "calm"          // nothing queues: orders are the units, paired by their numbers
	Repeated Kind = "repeated runs" // orders meet in queues: whole runs are the units, paired by their seeds
)

// Needs are the conditions under which a claim can be judged.
type Needs struct {
	RealBroker   bool // an embedded broker's figures say nothing
	RealRabbitMQ bool // a RabbitMQ is compared, and none is embedded
	Embedded     bool // the broker, or what lies between, is disturbed, so the lab must have started it
	Elsewhere    bool // it can run on services that run elsewhere
	OnTime       bool // its figures count from the intended starts, so a late generator falsifies them
}

// Signature is what a person sees in the traces.
type Signature struct {
	Words string                       // what to look for
	Seen  func(*journey.Journey) error // nil when the journey shows it, else what is missing
}

// Sabotage is a change of the labs after which the verdict must be another one.
type Sabotage struct {
	Name   string
	Change func(*lab.Config)
	Want   verdict.Word // with it; "": any other word than without
}

// Prediction is a figure that the model expects.
type Prediction struct {
	Arm, Measure string
	Value        float64 // in the figure's unit
	// Gate says that the figure is one without any fault: when it lies outside of its band, something is there that the model does not
	// name, and the verdict is not valid.
	Gate bool
}

// Decision is what figures mean for a sentence.
type Decision struct {
	Parts  []verdict.Part // that decide
	Beside []verdict.Part // that are shown only; their Want says nothing
}
