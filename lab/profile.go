package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"

	"tracelab/internal/telemetry"

	"github.com/google/pprof/profile"

	"tracelab/services"
)

// Files of a profile's folder: one for each form, and one for what belongs to none.
const (
	profileSuffix  = ".cpu.pb.gz"
	unlabelledName = "unlabelled"
)

// profiler keeps the CPU profile of this process while the orders of a run are placed and done: neither the start of the
// services nor the judging is in it. A nil one does nothing.
//
// It samples at pprof's own rate, one sample for each 10 ms of CPU time. A higher rate can be had only by a call that
// makes the runtime complain on standard error, and the kernel's timers would not follow it far: many run at 250 Hz. What
// makes figures better is more orders, and the report says how many.
type profiler struct {
	dir     string
	data    bytes.Buffer
	stopped bool
}

// prepareProfiles makes the folder, if there is to be one, before anything is started.
func prepareProfiles(dir string) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("folder for profiles %s cannot be made: choose another with --profiles: %w", dir, err)
	}
	return nil
}

// startProfiler begins, if there is a folder to keep profiles in.
func startProfiler(dir string) (*profiler, error) {
	if dir == "" {
		return nil, nil
	}
	p := &profiler{dir: dir}
	if err := pprof.StartCPUProfile(&p.data); err != nil {
		return nil, fmt.Errorf("--profiles: this process is being profiled already: %w", err)
	}
	return p, nil
}

// asClient does something under the client's label, so that its CPU time is not taken for a service's.
func (p *profiler) asClient(ctx context.Context, do func()) {
	if p == nil {
		do()
		return
	}
	pprof.Do(ctx, pprof.Labels(telemetry.LabelService, clientName), func(context.Context) { do() })
}

// stop ends profiling; again, it does nothing.
func (p *profiler) stop() {
	if p == nil || p.stopped {
		return
	}
	pprof.StopCPUProfile()
	p.stopped = true
}

// save writes the profiles and puts into the result where the CPU time went.
func (p *profiler) save(result *Result) error {
	if p == nil {
		return nil
	}
	p.stop()
	whole, err := profile.Parse(&p.data)
	if err != nil {
		return fmt.Errorf("read the cpu profile: %w", err)
	}
	parts := splitByForm(whole, result.forms())
	if err := writeProfiles(p.dir, parts); err != nil {
		return err
	}
	result.Profile = sumUp(p.dir, whole, parts[unlabelledName])
	for form, f := range result.Forms {
		f.CPU = sumUpOrders(profileFile(p.dir, string(form)), parts[string(form)], f.Orders.Placed, result.StepOrder)
	}
	result.Warnings = append(result.Warnings, profileWarnings(result.unit(), result.forms(), result.Forms)...)
	return nil
}

// splitByForm divides a profile: each sample is in exactly one part, that of its form, or of unlabelledName.
func splitByForm(whole *profile.Profile, forms []services.Form) map[string]*profile.Profile {
	parts := map[string]*profile.Profile{}
	names := []string{unlabelledName}
	for _, form := range forms {
		names = append(names, string(form))
	}
	for _, name := range names {
		part := whole.Copy()
		part.Sample = slices.DeleteFunc(part.Sample, func(s *profile.Sample) bool { return formOf(s, names) != name })
		parts[name] = part.Compact()
	}
	return parts
}

// formOf is the part that a sample belongs to.
func formOf(s *profile.Sample, names []string) string {
	if name := label(s, telemetry.LabelForm); slices.Contains(names, name) {
		return name
	}
	return unlabelledName
}

// label is a sample's label, or "" without it.
func label(s *profile.Sample, key string) string {
	if values := s.Label[key]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// writeProfiles writes each part into a file, and takes away those that an earlier run has left for other forms.
func writeProfiles(dir string, parts map[string]*profile.Profile) error {
	older, err := fs.Glob(os.DirFS(dir), "*"+profileSuffix)
	if err != nil {
		return fmt.Errorf("look for older profiles: %w", err)
	}
	for _, file := range older {
		if err := os.Remove(filepath.Join(dir, file)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("take an older profile away: %w", err)
		}
	}
	for _, name := range sortedKeys(parts) {
		var text bytes.Buffer
		if err := parts[name].Write(&text); err != nil {
			return fmt.Errorf("write the cpu profile of %s: %w", name, err)
		}
		if err := os.WriteFile(profileFile(dir, name), text.Bytes(), 0o644); err != nil {
			return fmt.Errorf("write the cpu profile of %s: %w", name, err)
		}
	}
	return nil
}

func profileFile(dir, name string) string { return filepath.Join(dir, name+profileSuffix) }
