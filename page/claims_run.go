package page

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"html/template"
	"os"
	"strings"
	"sync"
	"time"

	"tracelab/docs/claims"
	"tracelab/experiments"
	"tracelab/experiments/verdict"
)

// claimRunner runs claims, one at a time, in labs of their own, and keeps the newest result of each.
type claimRunner struct {
	settings experiments.Settings
	record   func() (map[string]experiments.Report, error) // recorded reports by name
	report   func(experiments.Report) template.HTML

	mu      sync.Mutex
	running *runningClaim
	done    map[string]*claimResult // no more than there are claims
	closed  bool
	ended   sync.WaitGroup
}

// runningClaim is the one that runs.
type runningClaim struct {
	claim     experiments.Claim
	began     time.Time
	progress  experiments.Progress
	cancel    context.CancelFunc
	cancelled bool
}

// claimStatus is how far a claim has come.
type claimStatus struct {
	Name      string
	Words     string
	Took      int // seconds
	Most      int // its budget, in seconds
	Cancelled bool
}

// claimResult is what a run of a claim came to.
type claimResult struct {
	Word   verdict.Word // "" when it did not come to a verdict
	Report template.HTML
	Ended  string // time of day
	Why    string // there is no verdict
}

func newClaimRunner(settings experiments.Settings, report func(experiments.Report) template.HTML) *claimRunner {
	return &claimRunner{settings: settings, record: sync.OnceValues(readRecord), report: report, done: map[string]*claimResult{}}
}

// readRecord reads the record that is in the program.
func readRecord() (map[string]experiments.Report, error) {
	ledger, err := experiments.ReadRecord(claims.Record)
	if err != nil {
		return nil, err
	}
	byName := map[string]experiments.Report{}
	for _, r := range ledger.Claims {
		byName[r.Name] = r
	}
	return byName, nil
}

// recorded is the recorded report of a claim.
func (c *claimRunner) recorded(name string) (experiments.Report, bool) {
	record, err := c.record()
	if err != nil { // a test reads it
		return experiments.Report{}, false
	}
	report, ok := record[name]
	return report, ok
}

// result is what the newest run of a claim came to; nil when it has not run.
func (c *claimRunner) result(name string) *claimResult {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.done[name]
}

// status says how far the claim that runs has come; nil when none runs.
func (c *claimRunner) status() *claimStatus {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.running
	if r == nil {
		return nil
	}
	words := "its first lab starts"
	if p := r.progress; p.Claim != "" {
		words = fmt.Sprintf("lab %d: %s, %d of %d answered; about %.0f s left", p.Lab, p.Stage, p.Answered, p.Orders, p.Left.Seconds())
	}
	return &claimStatus{
		Name: r.claim.Name, Words: words, Took: int(time.Since(r.began).Seconds()), Most: max(1, int(r.claim.Budget.Seconds())), Cancelled: r.cancelled,
	}
}

// start runs a claim in the background, unless one runs already.
func (c *claimRunner) start(claim experiments.Claim) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return errors.New("the program ends")
	case len(c.lacks(claim)) > 0:
		return fmt.Errorf("%s needs %s, which this lab was not started with: its page has the commands", claim.Name, strings.Join(c.lacks(claim), " and "))
	case c.running != nil:
		return fmt.Errorf("%s runs now, and claims run one at a time, since each needs the machine: wait for it or cancel it", c.running.claim.Name)
	}
	ctx, cancel := context.WithCancel(context.Background())
	run := &runningClaim{claim: claim, began: time.Now(), cancel: cancel}
	c.running = run
	c.ended.Go(func() {
		result := c.run(ctx, claim)
		cancel()
		c.mu.Lock()
		defer c.mu.Unlock()
		if run.cancelled {
			result = &claimResult{Why: "It was cancelled, so there is no verdict."}
		}
		result.Ended = time.Now().Format(time.TimeOnly)
		c.running, c.done[claim.Name] = nil, result
	})
	return nil
}

// run runs a claim to its end, in a folder that is removed afterwards.
func (c *claimRunner) run(ctx context.Context, claim experiments.Claim) *claimResult {
	settings := c.settings
	settings.Progress = func(p experiments.Progress) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.running.progress = p
	}
	if claim.Needs.Embedded {
		settings.Kafka = nil
	}
	folder, err := os.MkdirTemp("", "tracelab-claims-")
	if err != nil {
		return &claimResult{Why: fmt.Sprintf("There is no room for its labs: %v.", err)}
	}
	settings.Out = folder
	var result claimResult
	_, err = experiments.Run(ctx, settings, []experiments.Claim{claim}, func(r experiments.Report) error {
		result.Word, result.Report = r.Verdict, c.report(r)
		return nil
	})
	if err = cmp.Or(err, os.RemoveAll(folder)); err != nil {
		result.Why = fmt.Sprintf("It ended early: %v.", err)
	}
	return &result
}

// cancel ends a claim that runs.
func (c *claimRunner) cancel(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running == nil || c.running.claim.Name != name {
		return fmt.Errorf("%s does not run: it has ended", name)
	}
	c.running.cancelled = true
	c.running.cancel()
	return nil
}

// close ends the claim that runs, and waits for its end.
func (c *claimRunner) close() {
	c.mu.Lock()
	c.closed = true
	if c.running != nil {
		c.running.cancelled = true
		c.running.cancel()
	}
	c.mu.Unlock()
	c.ended.Wait()
}
