package report_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/journey/format"
	"tracelab/journey/internal/draw"
	"tracelab/journey/predict"
	"tracelab/journey/report"
)

// prediction is one of seven orders by calls, checked against the same orders.
func prediction(t *testing.T, name string) report.Prediction {
	t.Helper()
	var journeys []*journey.Journey
	for range 7 {
		spans, err := draw.Spans(`
client CLIENT 0-50 order.number=7
  orders SERVER 1-49
    orders.call CLIENT 10-40
      payment SERVER 11-39
        ` + name + ` 12-38 service=payment`)
		if err != nil {
			t.Fatal(err)
		}
		journeys = append(journeys, journey.NewSet(spans).Journeys()...)
	}
	of, err := predict.Predict(journeys, predict.ToMessage(name), predict.WithPublish(time.Millisecond), predict.WithDelivery(5*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	check := of.Check("<b>before", journeys, compare.ByAttribute("order.number"))
	return report.Prediction{Of: of, Check: &check, About: []string{"from <i>here"}}
}

func TestPredictionAsText(t *testing.T) {
	var b strings.Builder
	if err := prediction(t, "payment.Charge").WriteText(&b, format.Style{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"7 journeys as they would be with other carriers:", "payment.Charge  7  a message in the place of a call",
		"21.0 ms [21.0 ms, 21.0 ms]", "29.0 ms less (95 % interval: 29.0 ms to 29.0 ms, 7 pairs)", "delivery  5.00 ms  given",
		"29.0 ms less than measured in <b>before (medians, without pairs)", "do not pair with those of <b>before", "inferred from the order in time",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

func TestPredictionAsJSON(t *testing.T) {
	var b strings.Builder
	if err := prediction(t, "payment.Charge").WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Schema    string
		Journeys  int
		Turned    []struct{ Hop, From, To string }
		Constants map[string]struct {
			Value  *float64
			Source string
		}
		Measured, Predicted map[string]compare.Summary
		Residuals           struct {
			Completion struct {
				Median float64
				N      int
			} `json:"completion_ms"`
		}
		Warnings []string
	}
	if err := json.Unmarshal([]byte(b.String()), &got); err != nil {
		t.Fatal(err)
	}
	if got.Schema != "tracelab.predict/v1" || got.Journeys != 7 || len(got.Turned) != 1 || got.Turned[0] != (struct{ Hop, From, To string }{"payment.Charge", "call", "message"}) {
		t.Errorf("%+v", got)
	}
	if c := got.Constants["delivery_ms"]; c.Value == nil || *c.Value != 5 || c.Source != "given" {
		t.Errorf("constants %+v", got.Constants)
	}
	if m, p := got.Measured["completion_ms"], got.Predicted["completion_ms"]; *m.Median != 50 || *p.Median != 43 || p.P95 != nil || *got.Predicted["caller_wait_ms"].Median != 21 {
		t.Errorf("measured %+v, predicted %+v", got.Measured, got.Predicted)
	}
	if got.Residuals.Completion.Median != -7 || got.Residuals.Completion.N != 0 {
		t.Errorf("residuals %+v", got.Residuals)
	}
	if !slices.ContainsFunc(got.Warnings, func(w string) bool { return strings.Contains(w, "do not pair") }) {
		t.Errorf("warnings %q", got.Warnings)
	}
}

func TestPredictionAsPage(t *testing.T) {
	var b strings.Builder
	if err := prediction(t, "<script>alert(1)</script>").WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, not := range []string{"<script>alert", "<b>before", "<i>here", "http-equiv", `src="`, `href="`, "ZgotmplZ"} {
		if strings.Contains(page, not) {
			t.Errorf("the page has %q", not)
		}
	}
	for _, want := range []string{"<!doctype html>", "a message in the place of a call", "How far the prediction is off", "21.0 ms", `width="42.00%"`, "</html>"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q", want)
		}
	}
}

// TestAPredictionSaysWhereItsTracesAreFrom in lines that fit.
func TestAPredictionSaysWhereItsTracesAreFrom(t *testing.T) {
	p := prediction(t, "payment.Charge")
	p.About = []string{strings.Repeat("a run ", 20)}
	var b strings.Builder
	if err := p.WriteText(&b, format.Style{Width: 80}); err != nil {
		t.Fatal(err)
	}
	if first, _, _ := strings.Cut(b.String(), "\n"); !strings.HasPrefix(first, "a run") || len(first) > 80 {
		t.Errorf("%q", first)
	}
}

// TestAPredictionFits 80 columns, with a name of a set that is as long as a run's, and the marks of a doubt.
func TestAPredictionFits(t *testing.T) {
	r := prediction(t, "payment.Charge")
	r.Check.Name = "20261127-204453.831603-1/kafka"
	r.Of.Constants.Delivery.Source, r.Of.Constants.Delivery.N = "measured on 20261127-204453.831603-1/kafka", 1000
	r.Doubtful, r.CheckDoubtful, r.Doubts = true, true, []string{"kafka: starved"}
	got := text(t, 80, r.WriteText)
	for line := range strings.Lines(got) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	for _, want := range []string{
		"\ncaller wait\n    measured 50.0 ms [50.0 ms, 50.0 ms] (!),", "measured in 20261127-204453.831603-1/kafka 50.0 ms [50.0 ms, 50.0 ms] (!)\n",
		"7 pairs) (!)", "1000 (!): from", "kafka: starved",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	_, page := page(t, r.WriteHTML)
	if strings.Count(page, "(!)") < 9 {
		t.Errorf("the page does not mark all: %s", page)
	}
}
