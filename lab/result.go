package lab

import (
	"tracelab/internal/telemetry"
	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/lab/rundir"
	"tracelab/services"
)

// Result is what a run found: the manifest of its directory, and `run --format json`.
type Result struct {
	rundir.Provenance
	Dir         string                        `json:"dir"`
	Generator   Generator                     `json:"generator"`
	Forms       map[services.Form]*FormResult `json:"forms"`
	Shared      int                           `json:"shared_spans"`
	Spans       *telemetry.Counts             `json:"spans,omitempty"` // made in this process, warm-up and shared included
	Sent        int                           `json:"otlp_spans_sent"`
	Fetched     int                           `json:"jaeger_spans_fetched,omitempty"` // of the services, each once
	Skipped     int64                         `json:"records_skipped"`                // that no consumer could decode
	Comparisons []compare.Difference          `json:"comparisons"`
	Jaeger      *JaegerPages                  `json:"jaeger,omitempty"`      // of a run whose spans came from there
	Profile     *Profile                      `json:"cpu_profile,omitempty"` // with --profiles; of no form
	Warnings    []string                      `json:"warnings"`

	// Problems are why the run is not what was asked for: lost or pending orders, spans that were dropped or not sent.
	Problems []string `json:"problems"`

	order    []services.Form
	fetched  bool // the spans came from a Jaeger
	followed bool // some of them while orders were placed
	paths    map[services.Form]*medianOrder
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

	CPU *OrderProfile `json:"cpu_profile,omitempty"` // with --profiles
}

// medianOrder is the order whose completion is the form's median (the lower of two), with its path.
type medianOrder struct {
	order   order
	journey *journey.Journey
}
