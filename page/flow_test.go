package page

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"tracelab/lab"
	"tracelab/services/flows"
)

const (
	oneForm     = "flow: tea\nunit: cup\nbody: {kind: one of green black}\nsteps:\n  counter.Order: {wait: 1ms}\n  kettle.Boil: {after: counter.Order, message: tea.ordered}\nforms: {grpc: {each: grpc}}\n"
	hostileFlow = "flow: order\nsteps:\n  </textarea><script>alert(1)</script>: {wait: 2ms}\nforms: {grpc: {each: grpc}}\n"
)

// TestFlowCheck checks texts as they are typed: the place, the nearest word, the line itself, and nothing that is not escaped.
func TestFlowCheck(t *testing.T) {
	b := serve(t, sharedLab(t))
	order, err := flows.Source("order")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		text string
		says []string
	}{
		"one form":      {oneForm, []string{"3 steps of 2 services, in 1 form."}},
		"as it is":      {string(order), []string{"The flow order can run", "payment.Charge", "region"}},
		"CRLF":          {strings.ReplaceAll(string(order), "\n", "\r\n"), []string{"The flow order can run"}},
		"wrong carrier": {strings.Replace(string(order), "each: kafka", "each: kafak", 1), []string{"flow.yaml:", "did you mean", "kafka", "<mark>", "Go to line"}},
		"empty":         {"", []string{"flow.yaml", "empty"}},
		"hostile":       {hostileFlow, []string{"flow.yaml:3:", "&lt;script&gt;", "<mark>"}},
		"control":       {"flow: a\x01b\n", []string{"control character"}},
		"too large":     {strings.Repeat("# 1234567\n", 200) + strings.Repeat("a", 300<<10), []string{"flow.yaml"}},
	} {
		t.Run(name, func(t *testing.T) {
			form := url.Values{"token": {b.server.token}, "flow": {c.text}}
			answer, text := b.send(http.MethodPost, "/flow/check", form.Encode(), "Accept: application/json")
			var said struct{ Parts map[string]string }
			if err := json.Unmarshal([]byte(text), &said); err != nil || answer.StatusCode != http.StatusOK {
				t.Fatalf("%d %v: %s", answer.StatusCode, err, text)
			}
			for _, want := range c.says {
				if !strings.Contains(said.Parts["flow-check"], want) {
					t.Errorf("not said: %q in\n%s", want, said.Parts["flow-check"])
				}
			}
			_, page := b.post("/flow/check", "flow="+c.text)
			if strings.Contains(said.Parts["flow-check"]+page, "<script>alert") || strings.Contains(page, "style=") {
				t.Errorf("not escaped, or an inline style:\n%s", page)
			}
		})
	}
	if answer, text := b.post("/flow/check", "flow="+strings.Repeat("ä", 400<<10)); answer.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("an oversize form: %d %.300s", answer.StatusCode, text)
	}
}

// TestFlowFile shows built-in flows, and gives a text back as a file.
func TestFlowFile(t *testing.T) {
	b := serve(t, sharedLab(t))
	if page := b.get("/flow"); !strings.Contains(page, "flow: order") || !strings.Contains(page, "keeps the flow") {
		t.Error("the page has not the flow that runs, or offers to run another")
	}
	if page := b.get("/flow?from=chain:3"); !strings.Contains(page, "flow: chain-3") || !strings.Contains(page, "The flow chain-3 can run") {
		t.Errorf("the generated flow is not shown:\n%s", page)
	}
	if answer, page := b.send(http.MethodGet, "/flow?from=<b>ordre", ""); answer.StatusCode != http.StatusNotFound || !strings.Contains(page, "no flow") || strings.Contains(page, "<b>") {
		t.Errorf("an unknown flow: %d\n%.600s", answer.StatusCode, page)
	}
	answer, text := b.post("/flow/file", "flow=flow: x\r\nsteps: {}\r\n")
	if text != "flow: x\nsteps: {}\n" || answer.Header.Get("Content-Disposition") != "attachment; filename=flow.yaml" {
		t.Errorf("%q as %s", text, answer.Header.Get("Content-Disposition"))
	}
	if answer, text := b.post("/flow", "flow=flow: x"); answer.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(text, "The lab keeps its flow") {
		t.Errorf("a broken flow: %d %.300s", answer.StatusCode, text)
	}
}

// TestFlowRuns opens the lab anew with another flow; one that cannot run leaves the lab as it is.
func TestFlowRuns(t *testing.T) {
	first, err := lab.Open(t.Context(), lab.Config{Seed: 1}, 0)
	if err != nil {
		t.Fatal(err)
	}
	b := serve(t, first)
	fails := errors.New("no room")
	b.server.config.Reopen = func(ctx context.Context, f *flows.Flow, _ string) (*lab.Live, error) {
		if fails != nil {
			return nil, fails
		}
		return lab.Open(ctx, lab.Config{Seed: 1, Flow: f}, 0)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := b.server.Lab().Close(ctx); err != nil {
			t.Error(err)
		}
	})
	text, err := flows.Source("chain:2")
	if err != nil {
		t.Fatal(err)
	}
	if answer, page := b.post("/flow", "flow="+string(text)); answer.StatusCode != http.StatusConflict || !strings.Contains(page, "no room") || b.server.Lab() != first {
		t.Errorf("a flow that cannot run: %d %.300s", answer.StatusCode, page)
	}
	fails = nil
	b.postDone("/flow", "flow="+string(text))
	if b.server.Lab() == first || b.server.Lab().Flow().Name != "chain-2" {
		t.Fatalf("the lab runs %s", b.server.Lab().Flow().Name)
	}
	if page := b.get("/flow"); !strings.Contains(page, "flow: chain-2") {
		t.Error("the page has not the flow that runs now")
	}
	b.postDone("/place", "form=all")
	if page := b.get("/"); !strings.Contains(page, "Flow chain-2") {
		t.Error("the page does not name the flow")
	}
}

// TestStampTellsLabsApart is what a page that was made before the lab was there, and is followed afterwards, loads anew by.
func TestStampTellsLabsApart(t *testing.T) {
	b := serve(t, nil)
	page := b.get("/")
	before := b.server.stamp()
	if !strings.Contains(page, `name="start" content="`+before+`"`) {
		t.Errorf("the page has not the stamp %s:\n%s", before, page)
	}
	b.server.Use(sharedLab(t))
	if b.server.stamp() == before || !strings.Contains(b.get("/"), b.server.stamp()) {
		t.Error("the stamp does not tell of another lab")
	}
}
