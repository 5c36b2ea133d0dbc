package experiments

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"tracelab/lab"
	"tracelab/services"
)

// Settings say how claims are run. Zero values leave each claim its defaults.
type Settings struct {
	Orders int     // of each form in each run
	Rate   float64 // orders/s over all forms of a run
	Seeds  int     // runs of each arm, where runs are repeated
	Seed   uint64  // of the first run; 0: 1

	Kafka    []string // host:port of a real broker; none: the embedded one
	RabbitMQ []string // host:port of a real one, for the claim that compares brokers
	Target   string   // URL of a gateway of services elsewhere
	Jaeger   string   // that has their spans
	// ReceiveOTLP is the host:port to which services elsewhere send their spans, in the place of a Jaeger.
	ReceiveOTLP string

	Out      string // where the folder of the results goes; "": runs
	Keep     bool   // leave the run directories of all labs in it
	Program  string // how it is called, for the commands that a report prints; "": tracelab
	Version  string
	Logger   *slog.Logger
	Progress func(Progress)

	network services.Network  // the zero value is TCP
	virtual bool              // time is virtual, so what the machine gave says nothing
	stores  string            // where stores on disk go; "": beside the run directories
	tamper  func(*lab.Config) // changes every lab: a sabotage, or arms that are alike
}

// SettingsError is a session that was asked for in a way that makes no sense; nothing was started.
type SettingsError struct{ err error }

// Error says what is wrong and what would be right.
func (e *SettingsError) Error() string { return fmt.Sprint(e.err) }

// Unwrap is the error inside.
func (e *SettingsError) Unwrap() error { return e.err }

// Progress is how far a session has come.
type Progress struct {
	Claim    string
	At, Of   int    // which claim of how many, from 1
	Stage    string // what its lab does, in words
	Lab      int    // which lab of the claim, from 1
	Answered int    // orders of that lab that have their answer
	Orders   int
	Left     time.Duration // about, by the budgets
}

// Limits of what a claim may be asked for.
const (
	mostSeeds = 1000
	leastLeft = time.Second // shown while a claim takes longer than its budget
)

// withDefaults fills in what is not said and refuses what makes no sense.
func (s Settings) withDefaults() (Settings, error) {
	if s.Seeds < 0 || s.Seeds > mostSeeds {
		return s, fmt.Errorf("seeds %d: use a number from 1 to %d", s.Seeds, mostSeeds)
	}
	if s.Orders < 0 || !(s.Rate >= 0) {
		return s, fmt.Errorf("orders %d and rate %g: use positive numbers", s.Orders, s.Rate)
	}
	if s.Target != "" && len(s.Kafka) > 0 {
		return s, errors.New("the services at --target have their own broker: leave out --kafka")
	}
	if (s.Target == "") != (s.Jaeger+s.ReceiveOTLP == "") {
		return s, errors.New("services elsewhere are named by --target, and their spans are in a Jaeger (--jaeger) or come here (--receive-otlp): give both, or none")
	}
	if s.Jaeger != "" && s.ReceiveOTLP != "" {
		return s, errors.New("--receive-otlp and --jaeger are two ways to the same spans: leave one of them out")
	}
	if s.Seed == 0 {
		s.Seed = 1
	}
	if s.Out == "" {
		s.Out = "runs"
	}
	if s.Program == "" {
		s.Program = "tracelab"
	}
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	if s.Progress == nil {
		s.Progress = func(Progress) {}
	}
	return s, nil
}

// check refuses claims that cannot run under the settings.
func (s Settings) check(claims []Claim) error {
	if s.Target == "" {
		return nil
	}
	var cannot, can []string
	for _, c := range claims {
		if !c.Needs.Elsewhere {
			cannot = append(cannot, c.Name)
		}
	}
	for _, c := range All() {
		if c.Needs.Elsewhere {
			can = append(can, c.Name)
		}
	}
	if len(cannot) > 0 {
		return fmt.Errorf("%s cannot be run on services elsewhere, whose parts the lab does not disturb: leave out --target, or name some of %s",
			strings.Join(cannot, ", "), strings.Join(can, ", "))
	}
	return nil
}

// size is the size of a claim under the settings.
func (s Settings) size(c Claim) Size {
	size := c.Size
	size.Seed = s.Seed
	if s.Orders > 0 {
		size.Orders = s.Orders
	}
	if s.Rate > 0 {
		size.Rate = s.Rate
	}
	if s.Seeds > 0 && c.Kind == Repeated {
		size.Seeds = s.Seeds
	}
	return size
}

// changed says in words what differs from a claim's defaults.
func (s Settings) changed(c Claim) []string {
	var list []string
	size := s.size(c)
	for _, x := range []struct {
		name       string
		is, wanted any
	}{{"orders", size.Orders, c.Size.Orders}, {"rate", size.Rate, c.Size.Rate}, {"seeds", size.Seeds, c.Size.Seeds}, {"seed", size.Seed, uint64(1)}} {
		if x.is != x.wanted {
			list = append(list, fmt.Sprintf("%s %v, not %v", x.name, x.is, x.wanted))
		}
	}
	return slices.Clip(list)
}
