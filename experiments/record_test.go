package experiments

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tracelab/experiments/verdict"
)

var update = flag.Bool("update", false, "write docs/claims.md from the record in docs/claims")

const (
	recordDir  = "../docs/claims"
	recordPage = "../docs/claims.md"
	mostRecord = 2 << 20 // bytes
)

// The page is what the record says, and the record is small enough for a repository.
func TestThePageOfTheRecord(t *testing.T) {
	ledger, err := ReadRecord(os.DirFS(recordDir))
	if err != nil {
		t.Fatal(err)
	}
	var page strings.Builder
	if err := ledger.WriteMarkdown(&page, "docs/claims"); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(recordPage, []byte(page.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	is, err := os.ReadFile(recordPage)
	if err != nil || string(is) != page.String() {
		t.Errorf("docs/claims.md is not what docs/claims says (%v): run task claims:doc", err)
	}
	size := int64(0)
	err = filepath.WalkDir(recordDir, func(_ string, d fs.DirEntry, err error) error {
		if info, e := d.Info(); err == nil && e == nil && !d.IsDir() {
			size += info.Size()
		}
		return err
	})
	if err != nil || size > mostRecord {
		t.Errorf("the record takes %d bytes, at most %d (%v)", size, mostRecord, err)
	}
	for _, r := range ledger.Claims {
		if e := r.Evidence; e != nil {
			if _, err := os.Stat(filepath.Join(recordDir, e.File)); err != nil {
				t.Error(err)
			}
		}
	}
}

// What README answers from the ledger is in it: each link says its verdict, which one run does not leave open, and each number in a link's text
// stands in the claim's section of the page.
func TestReadmeSaysWhatTheRecordShows(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(recordPage)
	if err != nil {
		t.Fatal(err)
	}
	ledger, err := ReadRecord(os.DirFS(recordDir))
	if err != nil {
		t.Fatal(err)
	}
	links := regexp.MustCompile(`\[([^\]]*)\]\(docs/claims\.md#([a-z-]+)(?: "([^"]*)")?\)`).FindAllStringSubmatch(string(readme), -1)
	if len(links) < 12 {
		t.Errorf("%d sentences of README link to the ledger", len(links))
	}
	for _, link := range links {
		text, name, says := link[1], link[2], link[3]
		i := slices.IndexFunc(ledger.Claims, func(r Report) bool { return r.Name == name })
		if i < 0 || says != string(ledger.Claims[i].Verdict) || says != string(verdict.Holds) && says != string(verdict.DoesNotHold) {
			t.Errorf("README says %q of %s, which is not what the record says", says, name)
			continue
		}
		_, section, _ := strings.Cut(string(page), "\n## "+name+"\n")
		section, _, _ = strings.Cut(section, "\n## ")
		for _, number := range regexp.MustCompile(`[0-9]+(\.[0-9]+)?`).FindAllString(text, -1) {
			if !regexp.MustCompile(`[^0-9.]` + regexp.QuoteMeta(number) + `(\.0)?[^0-9.]`).MatchString(section) {
				t.Errorf("README: %q is no figure of %s in docs/claims.md", number, name)
			}
		}
	}
}

// A ledger that is read back says the same, and a correction over many takes back what is there by chance.
func TestALedgerIsReadBack(t *testing.T) {
	dir := t.TempDir()
	claim := callerWait()
	r := Report{Name: claim.Name, Statement: claim.Statement, Figures: measuredOf(corners(Wait, 50, 4, 51, 4), nil)}
	r.conclude(claim)
	weak := corners(Wait, 50, 4, 51, 4)
	for i := range weak { // 8 orders have an interval of 95 %, but none of 99.9 %
		weak[i].Values = weak[i].Values[:8]
	}
	l := Ledger{Schema: Schema, Claims: []Report{r}}
	for range 60 {
		few := Report{Name: claim.Name, Figures: measuredOf(weak, nil)}
		few.conclude(claim)
		l.Claims = append(l.Claims, few)
	}
	if l.Claims[0].Verdict != verdict.Holds || l.Claims[1].Verdict != verdict.Holds {
		t.Fatalf("before: %s and %s", l.Claims[0].Verdict, l.Claims[1].Verdict)
	}
	if err := l.save(dir); err != nil {
		t.Fatal(err)
	}
	back, err := ReadLedger(filepath.Join(dir, LedgerFile))
	if err != nil {
		t.Fatal(err)
	}
	for i := range l.Claims {
		if back.Claims[i].Verdict != l.Claims[i].Verdict || back.Claims[i].Why != l.Claims[i].Why {
			t.Fatalf("claim %d: %s and then %s: %s", i, l.Claims[i].Why, back.Claims[i].Verdict, back.Claims[i].Why)
		}
	}
	back.Correct()
	if back.Claims[0].Verdict != verdict.Holds || back.Claims[1].Verdict != verdict.NotShown || back.Claims[1].Alone != verdict.Holds {
		t.Errorf("corrected: %s and %s: %s", back.Claims[0].Verdict, back.Claims[1].Verdict, back.Claims[1].Why)
	}
	var page, html strings.Builder
	if err := back.WriteMarkdown(&page, "docs/claims"); err != nil || !strings.Contains(page.String(), "[caller-wait](#caller-wait)") {
		t.Errorf("%v: the page does not name the claim:\n%.400s", err, page.String())
	}
	if err := back.WriteHTML(&html); err != nil || strings.Count(html.String(), "<figure>") != len(back.Claims) {
		t.Errorf("%v: %d plots", err, strings.Count(html.String(), "<figure>"))
	}
	var part strings.Builder
	if err := back.Claims[0].WriteHTML(&part); err != nil || !strings.Contains(part.String(), "<figure>") || strings.Contains(part.String(), "style=") {
		t.Errorf("%v: a part of another page has its plot, and no inline style:\n%.400s", err, part.String())
	}
}
