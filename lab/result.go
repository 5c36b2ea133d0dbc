package lab

import (
	"slices"

	"tracelab/internal/telemetry"
	"tracelab/journey/compare"
	"tracelab/lab/links"
	"tracelab/lab/rundir"
	"tracelab/services"
)

// Result is what a run found: the manifest of its directory, and `run --format json`.
type Result struct {
	rundir.Provenance
	Dir         string                        `json:"dir"`
	Forms       map[services.Form]*FormResult `json:"forms"`
	Shared      int                           `json:"shared_spans"`
	Late        int                           `json:"late_spans"`      // that came when their journey had been measured; it was measured again
	Foreign     int                           `json:"foreign_spans"`   // of no order and no service of this run: left out
	Damaged     int                           `json:"damaged_batches"` // that could not be read
	Spans       *telemetry.Counts             `json:"spans,omitempty"` // made in this process, warm-up and shared included
	Sent        int                           `json:"otlp_spans_sent"`
	Fetched     int                           `json:"jaeger_spans_fetched,omitempty"` // of the services, each once
	FromJaeger  bool                          `json:"from_jaeger,omitempty"`          // the services' spans came from there
	Followed    bool                          `json:"jaeger_followed,omitempty"`      // some of them while orders were placed
	Skipped     int64                         `json:"records_skipped"`                // that no consumer could decode
	Comparisons []Comparison                  `json:"comparisons"`
	Square      []SquareEffect                `json:"square,omitempty"`   // of a run with all four corners
	Happened    []Happened                    `json:"happened,omitempty"` // to parts of the lab
	Felt        []*Felt                       `json:"felt,omitempty"`     // who was under way meanwhile
	LinksUsed   []links.Use                   `json:"links_used,omitempty"`
	Jaeger      *JaegerPages                  `json:"jaeger,omitempty"`      // of a run whose spans came from there
	Profile     *Profile                      `json:"cpu_profile,omitempty"` // with --profiles; of no form
	Warnings    []string                      `json:"warnings"`

	// Problems are why the run is not what was asked for: lost or pending orders, missing answers, spans that were dropped
	// or not sent.
	Problems []string `json:"problems"`

	// Explained are findings like those in Problems that come of what was done to parts of the lab: they are no fault of the run.
	Explained []string `json:"explained,omitempty"`

	flowFile string                         // that the flow was read from; "": it is built in
	columns  int                            // that the text may take; 0: as many as it likes
	program  string                         // how it was called, for the commands that the text prints
	medians  map[services.Form]*medianOrder // of a run that was just made; a Result that was read from a file has none
}

// Comparison is how much a measure of one form differs from that of another.
type Comparison struct {
	compare.Difference
	// Marked says why the figures are not those of the services: late, or starved; "" when they are.
	Marked string `json:"marked"`
}

// FormResult is one column of the table.
type FormResult struct {
	Orders     Accounts `json:"orders"`
	Journeys   int      `json:"journeys"`   // complete
	Incomplete int      `json:"incomplete"` // counted, shown, and part of no figure
	Traces     int      `json:"traces"`
	SpanCount  int      `json:"spans"`
	Dropped    int64    `json:"dropped_spans"` // of its orders, by this process and by services elsewhere

	CallerWait compare.Summary  `json:"caller_wait_ms"`
	Response   compare.Summary  `json:"response_ms"`
	Completion compare.Summary  `json:"completion_ms"`
	Tail       compare.Summary  `json:"tail_ms"`
	QueueWait  *compare.Summary `json:"queue_wait_ms"` // null without messages
	// Marked says why these figures are not those of the services: late, or starved; "" when they are.
	Marked string `json:"marked"`

	Effects  Effects   `json:"effects"`
	Attempts *Attempts `json:"attempts,omitempty"` // null when nothing was tried again or put aside
	// Calls say how the calls to steps went that have a policy or are taken back.
	Calls map[services.Step]services.CallCounts `json:"calls,omitempty"`
	// Staleness is of a form that reads a view in the place of steps.
	Staleness *Staleness    `json:"staleness,omitempty"`
	Reach     *Reach        `json:"reach,omitempty"`
	Faulted   *Faulted      `json:"faulted,omitempty"`     // with --fault
	CPU       *OrderProfile `json:"cpu_profile,omitempty"` // with --profiles
}

// forms lists the forms in the order in which they are shown.
func (r *Result) forms() []services.Form {
	var forms []services.Form
	for _, name := range r.FormOrder {
		if form := services.Form(name); r.Forms[form] != nil {
			forms = append(forms, form)
		}
	}
	for _, form := range sortedKeys(r.Forms) {
		if r.Forms[form] != nil && !slices.Contains(forms, form) {
			forms = append(forms, form)
		}
	}
	return forms
}
