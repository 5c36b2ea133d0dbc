package experiments

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"tracelab/experiments/verdict"
	"tracelab/lab/rundir"
)

// Run runs claims one after another, and calls each with every verdict as soon as it is there. The results stay in a folder of their own:
// claims.json with the ledger, and one journey for each claim.
func Run(ctx context.Context, settings Settings, claims []Claim, each func(Report) error) (*Ledger, error) {
	settings, err := settings.withDefaults()
	if err == nil {
		err = settings.check(claims)
	}
	if err != nil {
		return nil, &SettingsError{err}
	}
	s := &session{Settings: settings, claims: claims}
	s.dir = filepath.Join(s.Out, "claims-"+rundir.Name(time.Now(), s.Seed))
	if err := os.MkdirAll(filepath.Join(s.dir, labsFolder), 0o755); err != nil { //nolint:gosec // as the run directories
		return nil, fmt.Errorf("the folder for the results cannot be made: choose another with --out: %w", err)
	}
	ledger := s.newLedger()
	for i, claim := range claims {
		s.at, s.started = i, time.Now()
		report, err := s.judge(ctx, claim, ledger)
		if err != nil {
			return nil, errors.Join(err, s.clean())
		}
		ledger.Claims = append(ledger.Claims, report)
		if err := each(report); err != nil {
			return nil, errors.Join(err, s.clean())
		}
	}
	return ledger, errors.Join(ledger.save(s.dir), s.clean())
}

// clean removes the run directories of the labs.
func (s *session) clean() error {
	if s.Keep {
		return nil
	}
	return os.RemoveAll(filepath.Join(s.dir, labsFolder))
}

// judge runs one claim. An error is the end of the session; what went wrong with the claim alone makes it not valid.
func (s *session) judge(ctx context.Context, claim Claim, ledger *Ledger) (Report, error) {
	l := &Lab{session: s, claim: claim, size: s.size(claim)}
	began := time.Now()
	var figures Figures
	var predictions []Prediction
	gates := s.needed(claim)
	if len(gates) == 0 {
		var err error
		if predictions, err = l.predict(ctx, ledger); err == nil {
			figures, err = claim.Measure(ctx, l)
		}
		if ctx.Err() != nil {
			return Report{}, context.Cause(ctx)
		}
		if err != nil {
			gates = append(gates, verdict.Gate{Name: "experiment done", Measured: err.Error(), Change: "run it again by itself, with --keep, and look at its labs"})
		}
		gates = append(gates, l.conditions(figures, predictions)...)
		ledger.learn(l.used)
	}
	report := Report{
		Name: claim.Name, Statement: claim.Statement, Rule: claim.Rule, Delta: claim.Delta, Kind: claim.Kind, Size: l.size, Changed: s.changed(claim),
		Gates: gates, Figures: measuredOf(figures, predictions), Evidence: l.evidence, Took: time.Since(began).Seconds(), Labs: max(l.began, len(l.used)),
	}
	if len(l.used) > 0 {
		report.BrokerIs = l.used[0].Result.BrokerIs
	}
	report.conclude(claim)
	if claim.Kind == Repeated && !s.Keep {
		for _, ran := range l.used {
			if !ran.shared {
				if err := os.RemoveAll(filepath.Dir(ran.Result.Dir)); err != nil {
					return report, err
				}
			}
		}
	}
	return report, nil
}

// needed are the failed gates of a claim that cannot be judged under the settings, whatever its labs showed.
func (s *session) needed(claim Claim) []verdict.Gate {
	var gates []verdict.Gate
	if claim.Needs.RealBroker && len(s.Kafka) == 0 && s.Target == "" {
		gates = append(gates, verdict.Gate{Name: "real broker", Measured: "embedded, in memory: it has no cost of a real one", Change: "start one (task kafka) and name it with --kafka"})
	}
	if claim.Needs.RealRabbitMQ && len(s.RabbitMQ) == 0 {
		gates = append(gates, verdict.Gate{Name: "real RabbitMQ", Measured: "none", Change: "start one (task rabbitmq) and name it with --rabbitmq"})
	}
	if claim.Needs.Embedded && len(s.Kafka) > 0 {
		gates = append(gates, verdict.Gate{Name: "embedded broker", Measured: "a Kafka that the lab did not start: it cannot disturb it", Change: "leave out --kafka"})
	}
	return gates
}

// predict measures the constants when they are not known yet, and predicts the claim's figures.
func (l *Lab) predict(ctx context.Context, ledger *Ledger) ([]Prediction, error) {
	if l.claim.Predict == nil {
		return nil, nil
	}
	if ledger.Constants == nil {
		k, err := l.calibrate(ctx)
		if err != nil {
			return nil, err
		}
		ledger.Constants = &k
	}
	return l.claim.Predict(l.size, *ledger.Constants)
}

// conditions checks the gates on what the claim's labs saw of themselves.
func (l *Lab) conditions(figures Figures, predictions []Prediction) []verdict.Gate {
	c := verdict.Conditions{Delta: l.claim.Delta.duration(), Steady: l.steady, Faults: firedFaults(l.used)}
	if !l.session.virtual {
		var sum usage
		var lags []time.Duration
		for _, ran := range l.used {
			sum.join(ran.usage)
			lags = append(lags, ran.lags()...)
		}
		c.Process = sum.process()
		if slices.Sort(lags); l.claim.Needs.OnTime && len(lags) > 0 {
			c.Generator = &verdict.Generator{StartLag: lags[len(lags)*99/100].Round(time.Microsecond)}
		}
	}
	gates := append(c.Gates(), happened(l.used)...)
	for _, p := range predictions {
		if r, ok := residual(figures, p, l.claim.Delta); ok {
			gates = append(gates, verdict.Conditions{Model: &r}.Gates()...)
		}
	}
	return append(gates, l.gates...)
}

// residual is a predicted figure without any fault beside what was measured.
func residual(figures Figures, p Prediction, delta Amount) (verdict.Residual, bool) {
	f, err := figures.find(p.Arm, p.Measure)
	if err != nil || !p.Gate {
		return verdict.Residual{}, false
	}
	e, err := f.Estimate()
	if err != nil {
		return verdict.Residual{}, false
	}
	return verdict.Residual{Name: p.Measure + " in " + p.Arm, Predicted: p.Value, Measured: e.Value, Band: verdict.Band(delta.Value, p.Value)}, true
}

// firedFaults sums up how often each fault was drawn and fired, over all runs and forms. A drawn order that did not come to the faulty
// service counts as not drawn.
func firedFaults(used []*Ran) []verdict.Fault {
	var list []verdict.Fault
	at := map[string]int{}
	for _, ran := range used {
		for _, form := range ran.Config.Forms {
			f := ran.Result.Forms[form]
			if f == nil || f.Faulted == nil {
				continue
			}
			for _, fired := range f.Faulted.Fired {
				i, known := at[fired.Fault]
				if !known {
					i = len(list)
					at[fired.Fault], list = i, append(list, verdict.Fault{Name: fired.Fault})
				}
				list[i].Drawn += min(max(fired.Fired, fired.Reached), fired.Drawn)
				list[i].Fired += fired.Fired
			}
		}
	}
	return list
}

// happened has the gate on events: each took place.
func happened(used []*Ran) []verdict.Gate {
	asked, done, why := 0, 0, ""
	for _, ran := range used {
		asked += len(ran.Config.Events)
		for _, h := range ran.Result.Happened {
			if h.Error == "" {
				done++
			} else if why == "" {
				why = ": " + h.Event + ": " + h.Error
			}
		}
	}
	if asked == 0 {
		return nil
	}
	g := verdict.Gate{Name: "events took place", Passed: done >= asked, Measured: strconv.Itoa(done) + " of " + strconv.Itoa(asked) + why}
	if !g.Passed {
		g.Change = "look at the run's events: a part could not be stopped or started"
	}
	return []verdict.Gate{g}
}
