package report_test

import (
	"io"
	"math"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/journey/format"
	"tracelab/journey/internal/draw"
	"tracelab/journey/internal/raced"
	"tracelab/journey/lint"
	"tracelab/journey/report"
)

// writers are all ways to write the reports of a journey, a comparison and a path.
func writers(j *journey.Journey, c compare.Comparison, gate *report.Gate, findings []lint.Finding, bars report.Bars, style format.Style) map[string]func(io.Writer) error {
	one, several := report.Journey{Of: j, Findings: findings}, report.Comparison{Of: c, Findings: findings, Gate: gate}
	return map[string]func(io.Writer) error{
		"journey text": func(w io.Writer) error { return one.WriteText(w, style) }, "journey JSON": one.WriteJSON, "journey HTML": one.WriteHTML,
		"comparison text": func(w io.Writer) error { return several.WriteText(w, style) }, "comparison JSON": several.WriteJSON, "comparison HTML": several.WriteHTML,
		"comparison Markdown": several.WriteMarkdown,
		"JUnit": func(w io.Writer) error {
			if gate == nil {
				return nil
			}
			return gate.WriteJUnit(w)
		},
		"bars": func(w io.Writer) error { return bars.WriteText(w, style) },
	}
}

// Zero values are written as nothing found, by every writer.
func TestZeroValuesAreWritten(t *testing.T) {
	for _, j := range []*journey.Journey{nil, {}} {
		for _, c := range []compare.Comparison{
			{}, {Groups: make([]compare.GroupSummary, 2), Differences: make([]compare.Difference, 2), Nodes: make([]compare.Node, 2), Warnings: make([]string, 1)},
			{Nodes: []compare.Node{{Groups: make([]compare.NodeIn, 2)}}}, {Groups: []compare.GroupSummary{{Example: &journey.Journey{}}}},
			compare.Groups(nil), compare.Groups([]compare.Group{{}, {Journeys: []*journey.Journey{{}}}}),
		} {
			for name, write := range writers(j, c, new(report.Gate), make([]lint.Finding, 1), report.Bars{Path: []journey.Segment{{}, {End: time.Second, Wait: true, Class: 99, From: 7}}}, format.Style{}) {
				if err := write(io.Discard); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
}

// Any values of the public fields are written, or refused by an error: no writer panics.
func TestAnyValuesAreWritten(t *testing.T) {
	raced.OneGoroutine(t)
	rapid.Check(t, func(t *rapid.T) {
		var c compare.Comparison
		var findings []lint.Finding
		var bars report.Bars
		var gate *report.Gate
		f := filler{t, journey.NewSet(draw.Any(func(what string, low, high int64) int64 { return rapid.Int64Range(low, high).Draw(t, what) }))}
		f.fill(reflect.ValueOf(&c).Elem())
		f.fill(reflect.ValueOf(&findings).Elem())
		f.fill(reflect.ValueOf(&bars).Elem())
		f.fill(reflect.ValueOf(&gate).Elem())
		style := format.Style{Color: true, Width: rapid.SampledFrom([]int{math.MinInt, -1, 1, 80}).Draw(t, "width")}
		var j *journey.Journey
		f.fill(reflect.ValueOf(&j).Elem())
		for _, write := range writers(j, c, gate, findings, bars, style) {
			_ = write(io.Discard) // JSON refuses what is no number
		}
	})
}

// filler sets the exported fields of values to anything that their types allow.
type filler struct {
	t   *rapid.T
	set *journey.Set
}

func (f filler) fill(v reflect.Value) {
	pick := func(n int) int { return rapid.IntRange(0, n-1).Draw(f.t, "choice") }
	switch v.Interface().(type) {
	case *journey.Journey:
		if all := f.set.Journeys(); len(all) > 0 && pick(2) == 0 {
			v.Set(reflect.ValueOf(all[pick(len(all))]))
		} else if pick(2) == 0 {
			v.Set(reflect.ValueOf(new(journey.Journey)))
		}
		return
	case *journey.Set:
		if pick(2) == 0 {
			v.Set(reflect.ValueOf(f.set))
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				f.fill(v.Field(i))
			}
		}
	case reflect.Slice:
		n := pick(3)
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			f.fill(v.Index(i))
		}
	case reflect.Pointer:
		if pick(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			f.fill(v.Elem())
		}
	case reflect.Bool:
		v.SetBool(pick(2) == 0)
	case reflect.String:
		v.SetString([]string{"", "a", "b_ms", "less", "more", "added", "x\x1b[31m\xff\u202e<script>"}[pick(7)])
	case reflect.Float64:
		v.SetFloat([]float64{0, 1, -1, 0.001, math.MaxFloat64, math.NaN(), math.Inf(1), math.Inf(-1)}[pick(8)])
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt([]int64{0, 1, 2, 5, -1, 1_000_000, math.MaxInt32, math.MinInt32}[pick(8)])
		if v.Kind() == reflect.Int64 && pick(4) == 0 {
			v.SetInt([]int64{math.MaxInt64, math.MinInt64}[pick(2)])
		}
	case reflect.Uint8:
		v.SetUint(uint64(pick(256)))
	}
}
