package otelkgo_test

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

func attributeString(k, v string) attribute.KeyValue { return attribute.String(k, v) }

// golden compares the spans that have ended with testdata/<name>.txt.
func (b *bubble) golden(name string) {
	b.Helper()
	got := render(b.spans.Ended())
	file := filepath.Join("testdata", name+".txt")
	if *update {
		b.must(os.MkdirAll("testdata", 0o755))
		b.must(os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	b.must(err)
	if diff := gocmp.Diff(string(want), got); diff != "" {
		b.Errorf("spans differ from %s (-want +got):\n%s", file, diff)
	}
	if started, ended := len(b.spans.Started()), len(b.spans.Ended()); started != ended {
		b.Errorf("%d spans started, %d ended", started, ended)
	}
}

// render draws spans as text: a span a line with its parent, its links, then its
// attributes. Traces and spans are numbered in the order of their start, polls that follow each other in that of their names: a broker answers for
// its topics in any order.
func render(spans []sdktrace.ReadOnlySpan) string {
	spans = slices.Clone(spans)
	slices.SortFunc(spans, func(a, b sdktrace.ReadOnlySpan) int {
		return cmp.Or(a.StartTime().Compare(b.StartTime()), cmp.Compare(a.SpanContext().SpanID().String(), b.SpanContext().SpanID().String()))
	})
	sortPolls(spans)
	names := map[string]string{}
	traces := map[trace.TraceID]string{}
	for i, s := range spans {
		if _, ok := traces[s.SpanContext().TraceID()]; !ok {
			traces[s.SpanContext().TraceID()] = fmt.Sprintf("T%d", len(traces)+1)
		}
		names[s.SpanContext().SpanID().String()] = fmt.Sprintf("%s.%d", traces[s.SpanContext().TraceID()], i+1)
	}
	var sb strings.Builder
	for _, s := range spans {
		renderSpan(&sb, s, names)
	}
	return sb.String()
}

// sortPolls sorts polls that follow each other by their names.
func sortPolls(spans []sdktrace.ReadOnlySpan) {
	isPoll := func(s sdktrace.ReadOnlySpan) bool { return strings.HasPrefix(s.Name(), "poll ") }
	for from := 0; from < len(spans); from++ {
		to := from
		for to < len(spans) && isPoll(spans[to]) {
			to++
		}
		slices.SortStableFunc(spans[from:to], func(a, b sdktrace.ReadOnlySpan) int { return cmp.Compare(a.Name(), b.Name()) })
		from = max(from, to)
	}
}

// renderSpan writes a span and its attributes.
func renderSpan(sb *strings.Builder, s sdktrace.ReadOnlySpan, names map[string]string) {
	parent := "root"
	if s.Parent().SpanID().IsValid() {
		parent = "parent " + cmp.Or(names[s.Parent().SpanID().String()], "unknown")
		if s.Parent().IsRemote() {
			parent += " (remote)"
		}
	}
	fmt.Fprintf(sb, "%s %q %s %s\n", names[s.SpanContext().SpanID().String()], s.Name(), strings.ToUpper(s.SpanKind().String()), parent)
	if s.Status().Code != codes.Unset {
		fmt.Fprintf(sb, "    status %s %q\n", s.Status().Code, s.Status().Description)
	}
	var links []string
	for _, l := range s.Links() {
		links = append(links, fmt.Sprintf("    link %s%s\n", cmp.Or(names[l.SpanContext.SpanID().String()], "unknown"), renderAttributes(" ", l.Attributes)))
	}
	if strings.HasPrefix(s.Name(), "poll ") {
		slices.Sort(links) // a poll gives its partitions in the order in which the broker answered, which is any
	}
	sb.WriteString(strings.Join(links, ""))
	if s.DroppedLinks() > 0 {
		fmt.Fprintf(sb, "    dropped links %d\n", s.DroppedLinks())
	}
	sb.WriteString(renderAttributes("\n    ", s.Attributes()) + "\n")
}

// renderAttributes leaves out server.port, which is another one in each run.
func renderAttributes(sep string, attrs []attribute.KeyValue) string {
	var lines []string
	for _, a := range attrs {
		if a.Key != "server.port" {
			lines = append(lines, fmt.Sprintf("%s%s=%s", sep, a.Key, a.Value.String()))
		}
	}
	slices.Sort(lines)
	return strings.TrimPrefix(strings.Join(lines, ""), "\n")
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
