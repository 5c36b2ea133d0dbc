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
	t.Parallel() // most of it is waiting
	b := serve(t, nil)
	const path = "/claims/caller-wait"
	claim, err := claimNamed("caller-wait")
	if err != nil {
		t.Fatal(err)
	}
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
		if now := string(b.server.claimParts(claim)["claim-now"]); !strings.Contains(now, "answered; about") && b.server.claims.status() != nil {
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

// TestClaimsThatNeedABroker are offered by a lab with that broker; without it, its page has the commands.
func TestClaimsThatNeedABroker(t *testing.T) {
	t.Parallel()
	b := serve(t, nil)
	for _, c := range []struct {
		name            string
		kafka, rabbitmq []string
		says            []string // on the claim's page
		cannot          bool
	}{
		{"brokers", nil, nil, []string{"a real Kafka and a real RabbitMQ", "task kafka\ntask rabbitmq\ntracelab up --kafka HOST:PORT --rabbitmq HOST:PORT\n", "tracelab claims brokers --kafka HOST:PORT --rabbitmq HOST:PORT<"}, true},
		{"brokers", []string{"k:1", "k:2"}, nil, []string{"needs a real RabbitMQ", ">task rabbitmq\ntracelab up --kafka k:1,k:2 --rabbitmq HOST:PORT\n"}, true},
		{"brokers", []string{"k:1"}, []string{"r:1"}, []string{"runs on the Kafka at k:1 and the RabbitMQ at r:1"}, false},
		{"resources", nil, []string{"r:1"}, []string{"tracelab claims resources --kafka HOST:PORT --rabbitmq r:1<"}, true},
		{"resources", []string{"k:1"}, nil, []string{"runs on the Kafka at k:1."}, false},
		{"reply", []string{"k:1"}, nil, []string{"runs on the Kafka at k:1."}, false},
		{"broker-down", []string{"k:1"}, nil, []string{"an embedded Kafka, which it disturbs, not on the one at k:1"}, false},
		{"reply", nil, nil, nil, false},
	} {
		b.server.claims.settings.Kafka, b.server.claims.settings.RabbitMQ = c.kafka, c.rabbitmq
		page, list := b.get("/claims/"+c.name), b.get("/claims")
		for _, text := range c.says {
			if !strings.Contains(page, text) {
				t.Errorf("%s with %q and %q does not say %q:\n%s", c.name, c.kafka, c.rabbitmq, text, page)
			}
		}
		if offered := strings.Contains(page, `id="claim-run"`); offered == c.cannot {
			t.Errorf("%s with %q and %q is offered: %v", c.name, c.kafka, c.rabbitmq, offered)
		}
		if missing := c.kafka == nil || c.rabbitmq == nil; strings.Contains(list, "needs a real") != missing {
			t.Errorf("the list with %q and %q: says what is missing: %v", c.kafka, c.rabbitmq, !missing)
		}
		if c.cannot {
			if answer, text := b.post("/claims/"+c.name, "do=run"); answer.StatusCode != http.StatusConflict || !strings.Contains(text, "needs a real") {
				t.Errorf("%s is run with %q and %q: %d %s", c.name, c.kafka, c.rabbitmq, answer.StatusCode, text)
			}
		}
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
	t.Parallel()
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
