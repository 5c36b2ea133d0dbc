package page

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"strings"
	"testing"
	"time"

	"tracelab/experiments"
	"tracelab/experiments/verdict"
	"tracelab/internal/testkit"
)

// TestClaims lists all claims with their recorded verdicts, and shows each recorded report under the page's policy.
func TestClaims(t *testing.T) {
	b := serve(t, sharedLab(t))
	list := b.get("/claims")
	for _, c := range experiments.All() {
		recorded, ok := b.server.claims.recorded(c.Name)
		if !ok || !strings.Contains(list, `href="/claims/`+c.Name+`"`) {
			t.Errorf("%s is not in the list, or not in the record: %v", c.Name, ok)
		}
		one := b.get("/claims/" + c.Name)
		if !strings.Contains(one, "<figure>") || !strings.Contains(one, `">`+string(recorded.Verdict)+"</span>") {
			t.Errorf("%s: no plot, or no verdict %q", c.Name, recorded.Verdict)
		}
		if strings.Contains(one, "style=") || strings.Contains(one, "<script>") {
			t.Errorf("%s: an inline style or script, which the policy forbids", c.Name)
		}
	}
	if style := b.get("/claims/style.css"); !strings.HasPrefix(style, ".claim {") {
		t.Errorf("the style goes beyond a claim:\n%.200s", style)
	}
	if answer, text := b.send(http.MethodGet, "/claims/caller-wai", ""); answer.StatusCode != http.StatusNotFound || !strings.Contains(text, "caller-wait") {
		t.Errorf("an unknown claim: %d %s", answer.StatusCode, text)
	}
}

// TestClaimRuns cancels a claim, runs it again to its verdict, and finds that at its URL.
func TestClaimRuns(t *testing.T) {
	b := serve(t, nil)
	const path = "/claims/caller-wait"
	b.postDone(path, "do=run")
	if answer, text := b.post("/claims/completion", "do=run"); answer.StatusCode != http.StatusConflict || !strings.Contains(text, "one at a time") {
		t.Errorf("a second one: %d %s", answer.StatusCode, text)
	}
	if answer, _ := b.post("/claims/completion", "do=cancel"); answer.StatusCode != http.StatusConflict {
		t.Errorf("cancelled one that does not run: %d", answer.StatusCode)
	}
	if page := b.get("/claims/completion"); !strings.Contains(page, "one at a time") || strings.Contains(page, `id="claim-run"`) {
		t.Error("the page of another claim offers to run it meanwhile")
	}
	b.postDone(path, "do=cancel")
	b.awaitClaims()
	if page := b.get(path); !strings.Contains(page, "It was cancelled") {
		t.Errorf("the page does not say that it was cancelled:\n%s", page)
	}

	b.server.claims.settings.Orders, b.server.claims.settings.Rate = 6, 100 // a quick one
	b.postDone(path, "do=run")
	progress := func(context.Context) error {
		if now := string(b.server.claimParts("caller-wait")["claim-now"]); !strings.Contains(now, "answered; about") && b.server.claims.status() != nil {
			return errors.New("no progress is said: " + now)
		}
		return nil
	}
	testkit.Await(t, "progress", time.Minute, progress)
	b.awaitClaims()
	done := b.server.claims.result("caller-wait")
	if done == nil || done.Word == "" || done.Why != "" {
		t.Fatalf("it came to no verdict: %+v", done)
	}
	page := b.get(path)
	if !strings.Contains(page, "Not at its default size") || strings.Contains(page, "style=") || strings.Contains(page, "<code>tracelab journey") {
		t.Errorf("the page of a claim that ran with few orders:\n%s", page)
	}
	if !strings.Contains(b.get("/claims"), `data-label="here"><span class="word `) {
		t.Error("the list does not show the verdict of here")
	}
}

// awaitClaims waits until no claim runs.
func (b *browser) awaitClaims() {
	b.t.Helper()
	testkit.Await(b.t, "the end of the claim", time.Minute, func(context.Context) error {
		if now := b.server.claims.status(); now != nil {
			return errors.New(now.Words)
		}
		return nil
	})
}

// TestClaimEndsWithTheServer ends the program while a claim runs.
func TestClaimEndsWithTheServer(t *testing.T) {
	c := newClaimRunner(experiments.Settings{}, func(experiments.Report) template.HTML { return "" })
	claim, err := claimNamed("surge")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.start(claim); err != nil {
		t.Fatal(err)
	}
	c.close()
	if c.status() != nil || c.start(claim) == nil {
		t.Error("a claim runs, or starts, after the end")
	}
	if r := c.result("surge"); r == nil || r.Word != verdict.Word("") {
		t.Errorf("it came to %+v", r)
	}
}
