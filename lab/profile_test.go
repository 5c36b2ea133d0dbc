package lab

import (
	"maps"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tracelab/internal/telemetry"

	"github.com/google/pprof/profile"

	"tracelab/journey"
	"tracelab/journey/format"
	"tracelab/lab/rundir"
	"tracelab/services"
	"tracelab/services/flows"
)

// TestProfilesAreSplitByForm runs all forms, and finds every sample of the whole in exactly one file.
func TestProfilesAreSplitByForm(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "profiles[1") // no pattern
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"grpc", "hybrid"} { // of an earlier run
		if err := os.WriteFile(profileFile(dir, name), []byte("old"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	forms := []services.Form{services.REST, services.GRPC, services.Kafka}
	result, err := Run(t.Context(), Config{Forms: forms, Orders: 50, Rate: 400, Deadline: 20 * time.Second, Profiles: dir, Out: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	p := result.Profile
	samples, ms := p.NoForm.Samples, p.NoForm.CPU
	checkFile(t, p.NoForm.File, "", p.NoForm.Samples, p.NoForm.CPU)
	for _, form := range forms {
		f := result.Forms[form].CPU
		samples, ms = samples+f.Samples, ms+f.CPU
		checkFile(t, f.File, string(form), f.Samples, f.CPU)
		if f.Samples == 0 || f.Transport == 0 {
			t.Errorf("%s: %+v: no samples, or not of the transport", form, f)
		}
		for _, row := range flows.Order().Rows { // an order that failed has undone a step, too
			if _, ok := f.Steps[row.Step]; !ok {
				t.Errorf("%s: nothing of %s in %v", form, row.Step, f.Steps)
			}
		}
		checkSpans(t, result.Dir, f.File, form)
		sum := f.Transport
		for _, step := range f.Steps {
			sum += step
		}
		if !near(sum, f.PerOrder) || !near(f.PerOrder*50, f.CPU) {
			t.Errorf("%s: steps and transport make %g ms, the order %g ms, all orders %g ms", form, sum, f.PerOrder, f.CPU)
		}
	}
	if samples != p.Samples || !near(ms, p.CPU) || p.SampleMS != 10 || !near(float64(p.Samples)*p.SampleMS, p.CPU) {
		t.Errorf("the parts have %d samples of %g ms, the whole is %+v", samples, ms, p)
	}
	parts := 0.0
	for _, part := range p.NoForm.Parts {
		parts += part
	}
	if !near(parts, p.NoForm.CPU) {
		t.Errorf("what was spent for no form adds up to %g ms: %+v", parts, p.NoForm)
	}
	if _, err := os.Stat(profileFile(dir, "hybrid")); !os.IsNotExist(err) {
		t.Errorf("the profile of an earlier run's form is still there: %v", err)
	}
	text := &strings.Builder{}
	if err := result.WriteText(text, format.Style{}); err != nil || !strings.Contains(text.String(), "CPU time of an order in this process") || !strings.Contains(text.String(), "  payment.Charge ") {
		t.Errorf("%v: the report does not say where the CPU time went:\n%s", err, text)
	}
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-6*math.Max(1, math.Abs(a)) }

// checkFile reads a profile as go tool pprof does.
func checkFile(t *testing.T, name, form string, samples int64, ms float64) {
	t.Helper()
	p := readProfile(t, name)
	n, spentMS := spent(p.Sample)
	if n != samples || !near(spentMS, ms) {
		t.Errorf("%s has %d samples of %g ms, the report says %d of %g ms", name, n, spentMS, samples, ms)
	}
	for _, s := range p.Sample {
		if got := label(s, telemetry.LabelForm); got != form {
			t.Errorf("%s has a sample of the form %q", name, got)
		}
		if step := label(s, telemetry.LabelStep); step != "" && label(s, telemetry.LabelService) != services.Step(step).Service() {
			t.Errorf("%s: the step %s in the service %s", name, step, label(s, telemetry.LabelService))
		}
	}
}

// checkSpans finds the span of each sample of a step: it is in the run directory, of that form and service, and names its profile.
func checkSpans(t *testing.T, dir, name string, form services.Form) {
	t.Helper()
	run, _, err := rundir.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	all, err := run.ReadForm(string(form))
	if err != nil {
		t.Fatal(err)
	}
	spans := map[string]journey.Span{}
	for _, s := range all.Spans {
		spans[s.ID.String()] = s
	}
	for _, sample := range readProfile(t, name).Sample {
		if label(sample, telemetry.LabelStep) == "" {
			continue
		}
		id := label(sample, "span_id")
		span, ok := spans[id]
		if named, _ := span.Attr("pyroscope.profile.id"); !ok || span.Service != label(sample, telemetry.LabelService) || named.String() != id {
			t.Errorf("%s: a sample of %s is of the span %q: %s of %s, which names the profile %s", form, label(sample, telemetry.LabelStep), id, span.Name, span.Service, named)
		}
	}
}

func readProfile(t *testing.T, name string) *profile.Profile {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.ParseData(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestEverySampleHasOnePart: also one of a form that the run did not have, or that there is not.
func TestEverySampleHasOnePart(t *testing.T) {
	whole := &profile.Profile{
		SampleType: []*profile.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "nanoseconds"}},
		PeriodType: &profile.ValueType{Type: "cpu", Unit: "nanoseconds"}, Period: 10_000_000,
	}
	for i, form := range []string{"rest", "kafka", "hybrid", "_OTHER", "", "unlabelled", "rest"} {
		s := &profile.Sample{Value: []int64{int64(i + 1), int64(i+1) * 10_000_000}, Label: map[string][]string{}}
		if form != "" {
			s.Label[telemetry.LabelForm] = []string{form}
		}
		whole.Sample = append(whole.Sample, s)
	}
	parts := splitByForm(whole, []services.Form{services.REST, services.Kafka})
	got := map[string]int64{}
	for name, part := range parts {
		got[name], _ = spent(part.Sample)
	}
	if want := map[string]int64{"rest": 1 + 7, "kafka": 2, "unlabelled": 3 + 4 + 5 + 6}; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestTooFewSamplesAreSaid with the number of orders that would do.
func TestTooFewSamplesAreSaid(t *testing.T) {
	forms := map[services.Form]*FormResult{
		services.REST: {Orders: Accounts{Placed: 100}, CPU: &OrderProfile{Samples: 30}},
		services.GRPC: {Orders: Accounts{Placed: 100}, CPU: &OrderProfile{Samples: 100}},
	}
	order := []services.Form{services.REST, services.GRPC}
	if got := profileWarnings("order", order, forms); len(got) != 1 || !strings.Contains(got[0], "(rest 30; 100 would do): use --orders 350") {
		t.Errorf("%q", got)
	}
	forms[services.REST].CPU.Samples = 100
	if got := profileWarnings("order", order, forms); len(got) != 0 {
		t.Errorf("%q with enough samples", got)
	}
	if got := profileWarnings("order", order, map[services.Form]*FormResult{services.REST: {}, services.GRPC: {}}); len(got) != 0 {
		t.Errorf("%q without profiles", got)
	}
}
