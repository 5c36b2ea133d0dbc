// Package rundir writes and reads what a run leaves: a directory with a manifest, the spans of each form, and one line
// for each order. It needs no service, so commands that only read runs do not link the lab.
//
// A run directory has these files:
//
//	run.json            the manifest: where the figures come from, and what they are
//	FORM.otlp.jsonl     the spans of a form's orders, one OTLP/JSON document a line; a line is of one order
//	shared.otlp.jsonl   spans that serve several orders or none, such as polls and commits
//	orders.jsonl        one Order a line
//	starved.jsonl       when the process did not get the CPU that it needed, a time a line; none: at no time
package rundir

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Schema names the JSON of the manifest.
const Schema = "tracelab.run/v1"

// NumberKey is the span attribute with the number of an order. It is what pairs the orders of two forms.
const NumberKey = "tracelab.order.number"

// Shared takes the place of a form's name for spans that serve several orders or none.
const Shared = "shared"

const (
	manifestFile = "run.json"
	ordersFile   = "orders.jsonl"
	starvedFile  = "starved.jsonl"
	spansSuffix  = ".otlp.jsonl"
	latestLink   = "latest"
)

// Name returns the name of a run and of its directory: when it began, and its seed. Services that several clients drive
// tell their orders apart by it, so it counts microseconds.
func Name(at time.Time, seed uint64) string {
	return at.UTC().Format(nameLayout) + "-" + strconv.FormatUint(seed, 10)
}

// Prepare makes the directory of run directories and checks that it can be written to, so that a run fails before it
// places any order. It removes what writers have left that were killed.
func Prepare(out string) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fmt.Errorf("run directory %s cannot be made: choose another with --out: %w", out, err)
	}
	probe, err := os.CreateTemp(out, ".probe-*")
	if err != nil {
		return fmt.Errorf("run directory %s cannot be written to: choose another with --out: %w", out, err)
	}
	removeLeftovers(out)
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// UnknownFormError reports a form that a run directory has no spans of.
type UnknownFormError struct {
	Dir   string
	Form  string
	Known []string
}

// Error names the forms that the run has.
func (e *UnknownFormError) Error() string {
	return fmt.Sprintf("no form in %s %q: use one of %s", e.Dir, e.Form, strings.Join(e.Known, ", "))
}
