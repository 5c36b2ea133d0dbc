package lab

import (
	"fmt"
	"math"
	"strings"

	"tracelab/internal/telemetry"

	"github.com/google/pprof/profile"

	"tracelab/services"
)

// enoughSamples is from where on a form's figures say something: the 95 % interval of a share of 100 samples is about 10
// points wide to either side, and of their sum 20 %.
const enoughSamples = 100

// Profile is where the CPU time of the process went while the orders were placed and done. Every sample is in exactly one
// form's OrderProfile, or in NoForm.
type Profile struct {
	Dir      string        `json:"dir"`
	SampleMS float64       `json:"sample_ms"` // of CPU time that a sample stands for
	Samples  int64         `json:"samples"`
	CPU      float64       `json:"cpu_ms"`
	NoForm   SharedProfile `json:"no_form"`
}

// OrderProfile is the CPU time of a form's orders.
type OrderProfile struct {
	File     string                    `json:"file"`
	Samples  int64                     `json:"samples"`
	CPU      float64                   `json:"cpu_ms"`
	PerOrder float64                   `json:"cpu_ms_per_order"`
	Steps    map[services.Step]float64 `json:"steps_ms_per_order"`
	// Transport is what is in no step: requests, calls, messages, and the telemetry of all of them.
	Transport float64 `json:"transport_ms_per_order"`
}

// SharedProfile is the CPU time that belongs to no order, or to several.
type SharedProfile struct {
	File    string             `json:"file"`
	Samples int64              `json:"samples"`
	CPU     float64            `json:"cpu_ms"`
	Parts   map[string]float64 `json:"parts_ms"` // by what it was spent for
}

// sumUp makes the figures of a whole profile and of its part that belongs to no form.
func sumUp(dir string, whole, noForm *profile.Profile) *Profile {
	p := &Profile{Dir: dir, SampleMS: float64(whole.Period) / 1e6}
	p.Samples, p.CPU = spent(whole.Sample)
	p.NoForm = SharedProfile{File: profileFile(dir, unlabelledName), Parts: map[string]float64{}}
	p.NoForm.Samples, p.NoForm.CPU = spent(noForm.Sample)
	for _, s := range noForm.Sample {
		_, ms := spent([]*profile.Sample{s})
		p.NoForm.Parts[purpose(s)] += ms
	}
	return p
}

// sumUpOrders makes the figures of a form's part, for so many orders.
func sumUpOrders(file string, part *profile.Profile, orders int, steps []string) *OrderProfile {
	o := &OrderProfile{File: file, Steps: map[services.Step]float64{}}
	o.Samples, o.CPU = spent(part.Sample)
	perOrder := 1 / math.Max(1, float64(orders))
	o.PerOrder = o.CPU * perOrder
	for _, step := range steps {
		o.Steps[services.Step(step)] = 0
	}
	for _, s := range part.Sample {
		_, ms := spent([]*profile.Sample{s})
		if step := services.Step(label(s, telemetry.LabelStep)); step != "" {
			o.Steps[step] += ms * perOrder
		} else {
			o.Transport += ms * perOrder
		}
	}
	return o
}

// spent sums samples up: their number, and their CPU time in milliseconds.
func spent(samples []*profile.Sample) (n int64, ms float64) {
	for _, s := range samples {
		n += s.Value[0]
		ms += float64(s.Value[1]) / 1e6
	}
	return n, ms
}

// purpose says in words what a sample of no order was spent for, by its label and the functions on its stack.
func purpose(s *profile.Sample) string {
	for _, p := range []struct{ words, function string }{
		{"garbage collection", "runtime.gcBgMarkWorker"},
		{"garbage collection", "runtime.bgsweep"},
		{"garbage collection", "runtime.bgscavenge"},
		{"embedded Kafka", "github.com/twmb/franz-go/pkg/kfake."},
		{"telemetry", "go.opentelemetry.io/otel/exporters/"},
		{"telemetry", telemetry.QueueFunctions},
	} {
		if onStack(s, p.function) {
			return p.words
		}
	}
	switch {
	case label(s, telemetry.LabelService) == clientName:
		return "the client"
	case onStack(s, "github.com/twmb/franz-go/pkg/kgo."):
		return "Kafka clients"
	case onStack(s, "google.golang.org/grpc"):
		return "gRPC connections"
	case onStack(s, "net/http."):
		return "HTTP connections"
	default:
		return "runtime and the rest"
	}
}

// onStack tells whether a function of that name, or of that package, is on a sample's stack.
func onStack(s *profile.Sample, name string) bool {
	for _, location := range s.Location {
		for _, line := range location.Line {
			if line.Function != nil && strings.HasPrefix(line.Function.Name, name) {
				return true
			}
		}
	}
	return false
}

// profileWarnings say where there are too few samples, and what would be enough.
func profileWarnings(u unitWord, order []services.Form, forms map[services.Form]*FormResult) []string {
	var few []string
	needed := 0.0
	for _, form := range order {
		f := forms[form]
		if f.CPU == nil || f.CPU.Samples >= enoughSamples {
			continue
		}
		few = append(few, fmt.Sprintf("%s %d", form, f.CPU.Samples))
		needed = max(needed, float64(f.Orders.Placed)*enoughSamples/math.Max(1, float64(f.CPU.Samples)))
	}
	if len(few) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("too few samples in the profile to say where the CPU time of %s went (%s; %d would do): use --orders %.0f",
		u.one(), strings.Join(few, ", "), enoughSamples, 50*math.Ceil(needed/50))}
}
