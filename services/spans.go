package services

import (
	"context"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"tracelab/internal/telemetry"
	carrierhttp "tracelab/services/internal/carrier/http"
)

// spanFlush is how long an answer about spans waits for those that have ended to be exported or dropped.
const spanFlush = 500 * time.Millisecond

// spanAnswerLimit is how much of a service's answer about spans is read, in bytes.
const spanAnswerLimit = 16 << 10

// SpanGroups are the attributes by which a process counts the spans it drops: QueueConfig.GroupBy.
func SpanGroups() []attribute.Key { return []attribute.Key{KeyRun, KeyForm} }

// SpanReport is what a process says of its spans, and of the faults that it obeyed.
type SpanReport struct {
	Process string            `json:"process"`          // of one or more services
	Counts  telemetry.Counts  `json:"spans"`            // since it started
	Dropped map[string]int64  `json:"dropped"`          // of the run's orders, by form
	Silent  map[string]string `json:"silent,omitempty"` // services that gave no answer, with the reason
	// Fired is how many of the run's orders each fault has acted on, by form.
	Fired map[Form]map[string]int `json:"fired,omitempty"`
}

// spanReport tells what became of the spans of a run that this process made.
func (n *node) spanReport(ctx context.Context, run string) SpanReport {
	report := SpanReport{Process: n.process, Dropped: map[string]int64{}, Fired: n.fired.of(run)}
	if n.queue == nil {
		return report
	}
	ctx, cancel := context.WithTimeout(ctx, spanFlush)
	defer cancel()
	_ = n.queue.ForceFlush(ctx) // what waits then is on its way
	report.Counts = n.queue.Counts()
	for _, form := range n.flow.Forms() {
		if dropped := n.queue.DroppedOf(run, string(form)); dropped > 0 {
			report.Dropped[string(form)] = dropped
		}
	}
	return report
}

// reportSpans answers GET /runs/{run}/spans/here.
func (n *node) reportSpans(w http.ResponseWriter, r *http.Request) {
	carrierhttp.WriteJSON(w, http.StatusOK, n.spanReport(r.Context(), r.PathValue("run")))
}

// reportAllSpans answers GET /runs/{run}/spans: one sum over all processes, each counted once however many services it has.
// Silent lists the services that gave no answer, with the reason.
func (g *gateway) reportAllSpans(w http.ResponseWriter, r *http.Request) {
	run := r.PathValue("run")
	sum := g.spanReport(r.Context(), run)
	sum.Process = "all"
	sum.Silent = gatherReports(r.Context(), g, run, "spans", spanAnswerLimit, func(one SpanReport) string { return one.Process }, sum.add)
	carrierhttp.WriteJSON(w, http.StatusOK, sum)
}

func (r *SpanReport) add(other SpanReport) {
	r.Fired = addFired(r.Fired, other.Fired)
	r.Counts.Started += other.Counts.Started
	r.Counts.Exported += other.Counts.Exported
	r.Counts.Dropped += other.Counts.Dropped
	for form, dropped := range other.Dropped {
		r.Dropped[form] += dropped
	}
}
