package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"tracelab/internal/testkit"
	"tracelab/services/flows"
)

// Claims are judged on services that run elsewhere: in one process here, whose spans come back over the network. Its seconds are those of the run in
// which the model's constants are measured.
func TestClaimsOfServicesElsewhere(t *testing.T) {
	testkit.Unraced(t, "TestScripts")
	receiver, out := twoFreePorts(t), t.TempDir()
	elsewhere := start(t, append([]string{"serve", "all", "--kafka", "embedded", "--allow-faults", "--otlp", receiver}, anywhere(flows.Order().Services()...)...)...)
	elsewhere.await(t, `(?m)^ready: `)
	claims := start(t, "claims", "extra-parts", "hybrid-checkout", "--target", elsewhere.url(t, "gateway"), "--receive-otlp", receiver, "--orders", "10", "--out", out)
	claims.await(t, `(?m)^all of it: `)
	if status := claims.ended(t); status != exitDone {
		t.Fatalf("exit status %d: %s", status, claims)
	}
	if status := elsewhere.end(t); status != exitDone {
		t.Errorf("exit status of the services %d: %s", status, elsewhere)
	}
	files, err := filepath.Glob(filepath.Join(out, "*", "claims.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%q: %v", files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	var ledger judgedElsewhere
	if err := json.Unmarshal(text, &ledger); err != nil {
		t.Fatal(err)
	}
	if ledger.Broker != "of the target" || len(ledger.Claims) != 2 {
		t.Fatalf("%d claims on the broker %q", len(ledger.Claims), ledger.Broker)
	}
	for _, c := range ledger.Claims { // what depends on the machine decides nothing here
		if c.Evidence == nil || c.Evidence.Seen == 0 {
			t.Errorf("%s: no journey shows it", c.Name)
		}
		for _, g := range c.Gates {
			if !g.Passed && (g.Name == "experiment done" || g.Name == "figures can be judged") {
				t.Errorf("%s: gate %s", c.Name, g.Name)
			}
		}
	}
	at := slices.IndexFunc(ledger.Claims, func(c claimElsewhere) bool { return c.Name == "hybrid-checkout" })
	if at < 0 || len(ledger.Claims[at].Figures) == 0 || ledger.Claims[at].Figures[0].Of != 2 { // faults go with the orders: two of ten are out of stock
		t.Errorf("figures %+v", ledger.Claims)
	}
}

// judgedElsewhere is what the test reads of a ledger.
type judgedElsewhere struct {
	Broker string
	Claims []claimElsewhere
}

type claimElsewhere struct {
	Name     string
	Evidence *struct{ Seen int }
	Figures  []struct{ Hits, Of int }
	Gates    []struct {
		Name   string
		Passed bool
	}
}
