package lab

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/services"
)

// The files of a run directory.
const (
	manifestFile = "run.json"
	ordersFile   = "orders.jsonl"
	spansSuffix  = ".otlp.jsonl"
	sharedName   = "shared"
	latestLink   = "latest"
)

// runName is the name of a run and of its directory: when it began, and its seed.
func runName(at time.Time, seed uint64) string {
	return at.UTC().Format("20060102-150405.000") + "-" + strconv.FormatUint(seed, 10)
}

// prepareOut makes the directory of run directories and finds out whether it can be written to, before any order is
// placed.
func prepareOut(out string) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fmt.Errorf("run directory %s cannot be made: choose another with --out: %w", out, err)
	}
	probe, err := os.CreateTemp(out, ".probe-*")
	if err != nil {
		return fmt.Errorf("run directory %s cannot be written to: choose another with --out: %w", out, err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// sorted are the spans of a run by the file that they belong to: "shared" or a form, and there one document an order.
type sorted struct {
	forms  map[services.Form]map[int]ptrace.Traces
	shared ptrace.Traces
	counts map[services.Form]*formCount
}

type formCount struct {
	spans  int
	traces map[pcommon.TraceID]bool
}

// sortSpans takes every collected span to the order that it carries. Spans of other runs, and of this one's warm-up,
// belong nowhere; spans that carry no order are shared.
func sortSpans(collector *Collector, run string) (sorted, error) {
	s := sorted{forms: map[services.Form]map[int]ptrace.Traces{}, shared: ptrace.NewTraces(), counts: map[services.Form]*formCount{}}
	batches, _ := collector.From(0)
	for _, batch := range batches {
		traces, err := decode(batch)
		if err != nil {
			return s, err
		}
		for _, resource := range traces.ResourceSpans().All() {
			for _, scope := range resource.ScopeSpans().All() {
				s.scope(run, resource, scope)
			}
		}
	}
	return s, nil
}

// scope sorts the spans of one scope. Each destination gets the resource and scope once.
func (s *sorted) scope(run string, resource ptrace.ResourceSpans, scope ptrace.ScopeSpans) {
	into := map[ptrace.Traces]ptrace.SpanSlice{}
	for _, span := range scope.Spans().All() {
		to, ok := s.destination(run, span)
		if !ok {
			continue
		}
		slice, known := into[to]
		if !known {
			r := to.ResourceSpans().AppendEmpty()
			resource.Resource().CopyTo(r.Resource())
			r.SetSchemaUrl(resource.SchemaUrl())
			sc := r.ScopeSpans().AppendEmpty()
			scope.Scope().CopyTo(sc.Scope())
			sc.SetSchemaUrl(scope.SchemaUrl())
			slice = sc.Spans()
			into[to] = slice
		}
		span.CopyTo(slice.AppendEmpty())
	}
}

func (s *sorted) destination(run string, span ptrace.Span) (ptrace.Traces, bool) {
	of, ok := span.Attributes().Get(services.KeyRun)
	if !ok {
		return s.shared, true
	}
	if of.Str() != run {
		return s.shared, false
	}
	form, hasForm := span.Attributes().Get(services.KeyForm)
	number, hasNumber := span.Attributes().Get(services.KeyNumber)
	if !hasForm || !hasNumber {
		return s.shared, false // not a run of ours
	}
	n, err := strconv.Atoi(number.Str())
	f, unknown := services.ParseForm(form.Str()) // it becomes the name of a file
	if err != nil || unknown != nil {
		return s.shared, false // likewise
	}
	if s.forms[f] == nil {
		s.forms[f] = map[int]ptrace.Traces{}
		s.counts[f] = &formCount{traces: map[pcommon.TraceID]bool{}}
	}
	if _, ok := s.forms[f][n]; !ok {
		s.forms[f][n] = ptrace.NewTraces()
	}
	s.counts[f].spans++
	s.counts[f].traces[span.TraceID()] = true
	return s.forms[f][n], true
}

// write makes the run directory under a temporary name and renames it, so that a directory that exists is whole. Then
// it points "latest" at it.
func writeRun(out string, result *Result, orders []Order, spans sorted) (err error) {
	temporary, err := os.MkdirTemp(out, ".writing-*")
	if err != nil {
		return fmt.Errorf("run directory in %s: %w", out, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(temporary))
		}
	}()
	if err := os.Chmod(temporary, 0o755); err != nil {
		return fmt.Errorf("run directory in %s: %w", out, err)
	}
	for form, byNumber := range spans.forms {
		if err := writeSpans(filepath.Join(temporary, string(form)+spansSuffix), inOrder(byNumber)); err != nil {
			return err
		}
	}
	if err := writeSpans(filepath.Join(temporary, sharedName+spansSuffix), []ptrace.Traces{spans.shared}); err != nil {
		return err
	}
	if err := writeLines(filepath.Join(temporary, ordersFile), len(orders), func(i int) ([]byte, error) { return json.Marshal(orders[i]) }); err != nil {
		return err
	}
	manifest, err := json.MarshalIndent(result, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", manifestFile, err)
	}
	if err := os.WriteFile(filepath.Join(temporary, manifestFile), append(manifest, '\n'), 0o644); err != nil {
		return fmt.Errorf("write %s: %w", manifestFile, err)
	}
	if err := os.Rename(temporary, result.Dir); err != nil {
		return fmt.Errorf("run directory %s: %w", result.Dir, err)
	}
	return point(out, filepath.Base(result.Dir))
}

// point makes "latest" lead to the newest run, in one step.
func point(out, name string) error {
	link := filepath.Join(out, latestLink)
	next := link + ".next"
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("point %s at %s: %w", link, name, err)
	}
	if err := os.Symlink(name, next); err != nil {
		return fmt.Errorf("point %s at %s: %w", link, name, err)
	}
	if err := os.Rename(next, link); err != nil {
		return fmt.Errorf("point %s at %s: %w", link, name, err)
	}
	return nil
}

func inOrder(byNumber map[int]ptrace.Traces) []ptrace.Traces {
	list := make([]ptrace.Traces, 0, len(byNumber))
	for _, n := range sortedKeys(byNumber) {
		list = append(list, byNumber[n])
	}
	return list
}

// writeSpans writes one OTLP/JSON document a line.
func writeSpans(path string, documents []ptrace.Traces) error {
	var marshaler ptrace.JSONMarshaler
	return writeLines(path, len(documents), func(i int) ([]byte, error) { return marshaler.MarshalTraces(documents[i]) })
}

func writeLines(path string, n int, line func(i int) ([]byte, error)) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write run directory: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	w := bufio.NewWriter(file)
	for i := range n {
		text, err := line(i)
		if err != nil {
			return fmt.Errorf("encode line %d of %s: %w", i+1, filepath.Base(path), err)
		}
		// A bufio.Writer keeps its first error for Flush.
		_, _ = w.Write(text)
		_ = w.WriteByte('\n')
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return nil
}
