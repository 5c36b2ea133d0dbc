package doctor_test

import (
	"testing"

	"tracelab/doctor"
	"tracelab/journey/format"
)

// examine walks the chain.
func examine(t *testing.T, c doctor.Config) doctor.Report {
	t.Helper()
	report, err := doctor.Examine(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// lines are a report for a person who reads why a test has failed.
func lines(r doctor.Report) string {
	text := ""
	for _, c := range r.Checks {
		text += c.Text(format.Style{})
	}
	return text
}

func TestAHealthyLab(t *testing.T) {
	t.Parallel() // most of it is waiting
	l := startLab(t)
	report := examine(t, l.config)
	if report.FirstBroken != nil {
		t.Errorf("%s is broken:\n%s", *report.FirstBroken, lines(report))
	}
	for _, c := range report.Checks {
		if c.Status != doctor.OK || c.Seen == "" || c.Fix != "" {
			t.Errorf("%+v", c)
		}
	}
}
