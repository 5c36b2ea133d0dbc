package model_test

import (
	"testing"
	"time"

	"tracelab/experiments/model"
)

const ms = time.Millisecond

var constants = model.Constants{Hop: ms, Ack: 2 * ms, Queue: 3 * ms}

// order is the built-in flow with its medians, in a form where what is behind the entry is reached one way.
func order(reach model.Reach, early bool) model.Path {
	behind := []model.Stage{
		{{Cost: 6 * ms, Reach: reach}},
		{{Cost: 18 * ms, Reach: reach}},
		{{Cost: 14 * ms, Reach: reach}, {Cost: 8 * ms, Reach: reach}, {Cost: 4 * ms, Reach: reach}},
	}
	entry := model.Stage{{Reach: model.Call, Then: []model.Stage{{{Cost: 2 * ms, Reach: model.Call}}}}}
	last := model.Stage{{Cost: 2 * ms}}
	if reach == model.Message {
		last[0].Reach, last[0].Joins = model.Message, true
	}
	if early {
		return model.Path{Answer: []model.Stage{entry}, Rest: append(behind, last)}
	}
	return model.Path{Answer: append(append([]model.Stage{entry}, behind...), last)}
}

func TestPathOfTheFourCorners(t *testing.T) {
	const work = (2 + 6 + 18 + 14 + 2) * ms
	for _, c := range []struct {
		form  string
		path  model.Path
		want  model.Times
		calls int
		msgs  int
	}{
		{"grpc", order(model.Call, false), model.Times{Wait: work + 5*ms, Completion: work + 5*ms}, 7, 0},
		{"ack", order(model.Call, true), model.Times{Wait: 2*ms + 2*ms, Completion: work + 5*ms}, 7, 0},
		{"reply", order(model.Message, false), model.Times{Wait: work + 2*ms + 4*5*ms, Completion: work + 2*ms + 4*5*ms}, 2, 6},
		{"kafka", order(model.Message, true), model.Times{Wait: 2*ms + 2*ms + 2*ms, Completion: work + 2*ms + 4*5*ms}, 2, 6},
	} {
		got, err := c.path.Predict(constants)
		if err != nil || got != c.want {
			t.Errorf("%s: %v %v, want %v", c.form, got, err, c.want)
		}
		if calls, messages := c.path.Count(); calls != c.calls || messages != c.msgs {
			t.Errorf("%s: %d calls and %d messages, want %d and %d", c.form, calls, messages, c.calls, c.msgs)
		}
	}
}

func TestNestedCallsCostAsMuchAsSequentialOnes(t *testing.T) {
	nested := model.Path{Answer: []model.Stage{{{Cost: ms, Reach: model.Call, Then: []model.Stage{{{Cost: 2 * ms, Reach: model.Call}}}}}}}
	flat := model.Path{Answer: []model.Stage{{{Cost: ms, Reach: model.Call}}, {{Cost: 2 * ms, Reach: model.Call}}}}
	a, errA := nested.Predict(constants)
	b, errB := flat.Predict(constants)
	if a != b || errA != nil || errB != nil {
		t.Errorf("nested %v %v, flat %v %v", a, errA, b, errB)
	}
}

func TestSlopes(t *testing.T) {
	call, message := model.Step{Cost: 5 * ms, Reach: model.Call}, model.Step{Cost: 5 * ms, Reach: model.Message}
	for _, c := range []struct {
		what  string
		step  model.Step
		early bool
		want  model.Times
	}{
		{"calls", call, false, model.Times{Wait: 6 * ms, Completion: 6 * ms}},
		{"calls after the answer", call, true, model.Times{Completion: 6 * ms}},
		{"messages before the answer", message, false, model.Times{Wait: 10 * ms, Completion: 10 * ms}},
		{"messages", message, true, model.Times{Completion: 10 * ms}},
	} {
		if got, err := model.ChainSlope(c.step, c.early, constants); got != c.want || err != nil {
			t.Errorf("%s: %v %v, want %v", c.what, got, err, c.want)
		}
	}
	for _, c := range []struct {
		form             string
		path             model.Path
		wait, completion int
	}{
		{"grpc", order(model.Call, false), 5, 5},
		{"ack", order(model.Call, true), 2, 5},
		{"reply", order(model.Message, false), 7, 7},
		{"kafka", order(model.Message, true), 3, 7},
	} {
		if wait, completion, err := c.path.DistanceSlope(); wait != c.wait || completion != c.completion || err != nil {
			t.Errorf("%s: wait grows by %d and completion by %d round trips (%v), want %d and %d", c.form, wait, completion, err, c.wait, c.completion)
		}
	}
}

func TestPathRefuses(t *testing.T) {
	for what, p := range map[string]model.Path{
		"a negative cost":          {Answer: []model.Stage{{{Cost: -1}}}},
		"an empty stage":           {Rest: []model.Stage{{}}},
		"an unknown reach":         {Rest: []model.Stage{{{Reach: 7}}}},
		"a negative cost below":    {Answer: []model.Stage{{{Then: []model.Stage{{{Cost: -1}}}}}}},
		"an empty stage in a step": {Answer: []model.Stage{{{Then: []model.Stage{{}}}}}},
	} {
		if got, err := p.Predict(constants); err == nil {
			t.Errorf("%s: predicted %v, want an error", what, got)
		}
	}
	if _, err := order(model.Call, false).Predict(model.Constants{Hop: -1}); err == nil {
		t.Error("a negative constant is not refused")
	}
}

func TestMaximum(t *testing.T) {
	got, err := model.MeanMax([][]time.Duration{{1 * ms, 5 * ms}, {7 * ms, 3 * ms}})
	if got != 6*ms || err != nil {
		t.Errorf("mean of 5 and 7 ms: %v %v", got, err)
	}
	// 1..1000: the greatest of n uniform draws is n/(n+1) of the range, plus half a step.
	var uniform []time.Duration
	for i := range 1000 {
		uniform = append(uniform, time.Duration(i+1)*ms)
	}
	for n, want := range map[int]float64{1: 500.5, 2: 667.2, 4: 800.5} {
		got, err := model.ExpectedMax(uniform, n)
		if diff := float64(got)/float64(ms) - want; diff > 0.5 || diff < -0.5 || err != nil {
			t.Errorf("the greatest of %d: %v %v, want %v ms", n, got, err, want)
		}
	}
	if _, err := model.ExpectedMax(uniform[:19], 2); err == nil {
		t.Error("a sample of 19 for the greatest of 2 is not refused")
	}
	if _, err := model.MeanMax([][]time.Duration{{}}); err == nil {
		t.Error("an order without costs is not refused")
	}
	for _, c := range []struct {
		spread float64
		n      int
		want   time.Duration
	}{
		{0, 8, 10 * ms},
		{0.22, 1, 10244951 * time.Nanosecond}, // exp(0.22²/2)
		{1, 1, 16487213 * time.Nanosecond},
	} {
		if got, err := model.LogNormalMax(10*ms, c.spread, c.n); (got-c.want).Abs() > time.Microsecond || err != nil {
			t.Errorf("spread %g of %d: %v %v, want %v", c.spread, c.n, got, err, c.want)
		}
	}
	for _, bad := range []float64{-1, 3} {
		if _, err := model.LogNormalMax(ms, bad, 1); err == nil {
			t.Errorf("a spread of %g is not refused", bad)
		}
	}
}
