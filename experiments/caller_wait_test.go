package experiments

import (
	"testing"

	"tracelab/experiments/verdict"
)

// corners are made-up figures of 30 orders in each corner: a base with some spread, and what each corner differs by.
func corners(measure string, calls, ack, reply, messages float64) Figures {
	var f Figures
	for _, c := range []struct {
		form string
		is   float64
	}{{"grpc", calls}, {"ack", ack}, {"reply", reply}, {"kafka", messages}} {
		values := make([]float64, 30)
		for i := range values {
			values[i] = c.is + float64(i%5)/100
		}
		f.PerOrder(c.form, measure, "ms", values)
	}
	return f
}

// decided is the word on made-up figures.
func decided(t *testing.T, c Claim, f Figures) verdict.Word {
	t.Helper()
	d, err := c.Decide(f)
	if err != nil {
		t.Fatal(err)
	}
	return verdict.Judge(nil, d.Parts...).Word
}

func TestCallerWaitDecides(t *testing.T) {
	for _, c := range []struct {
		name                        string
		calls, ack, reply, messages float64
		want                        verdict.Word
	}{
		{"early is much shorter", 50, 4, 51, 4.2, verdict.Holds},
		{"early is shorter by just over δ", 50, 44.99, 50, 44.99, verdict.Holds},
		{"early is shorter by just under δ", 50, 45.01, 50, 45.01, verdict.DoesNotHold},
		{"no corner differs", 50, 50, 50, 50, verdict.DoesNotHold},
		{"the broker alone costs more than δ", 50, 4, 56, 4, verdict.DoesNotHold},
		{"the broker costs just under δ", 50, 4, 54.9, 8.9, verdict.Holds},
	} {
		if got := decided(t, callerWait(), corners(Wait, c.calls, c.ack, c.reply, c.messages)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
