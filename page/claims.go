package page

import (
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"tracelab/experiments"
	"tracelab/experiments/verdict"
	"tracelab/lab"
)

func (s *Server) routesOfClaims(mux *http.ServeMux) {
	mux.HandleFunc("GET /claims", s.listClaims)
	mux.HandleFunc("GET /claims/{name}", s.showClaim)
	mux.HandleFunc("POST /claims/{name}", s.doClaim)
	mux.HandleFunc("GET /claims/style.css", s.claimStyle)
}

// claimLine is a claim in the list.
type claimLine struct {
	Name, Statement string
	Recorded        verdict.Word // "" when the record does not have it
	Here            verdict.Word // of the run in this page; "" when it has not run
	Budget          string
	Lacks           []string // what it needs and the lab does not have, in words
}

// claimsView is the page of all claims.
type claimsView struct {
	Now    claimNow
	Claims []claimLine
	One    *claimView // instead of the list
}

// claimView is the page of one claim.
type claimView struct {
	claimLine
	Rule, Delta string
	Signature   string
	Broker      string        // that it runs on; "" when the lab has no choice
	Commands    []string      // that a person types to get what it lacks
	Terminal    string        // command that judges it without the page
	Record      template.HTML // its recorded report; "" when there is none
	RecordedOn  string
	Now         claimNow
}

// claimNow is what goes on: the same for all claims' pages, and what there is of one of them.
type claimNow struct {
	Name    string       // the page's claim; "" on the page of all
	CanRun  bool         // it lacks nothing
	Running *claimStatus // nil: none runs
	Mine    bool         // the page's claim runs
	Done    *claimResult // of the page's claim; nil when it has not run
	Other   bool         // another claim runs
}

func (s *Server) listClaims(w http.ResponseWriter, r *http.Request) {
	view := claimsView{Now: s.claimNow(experiments.Claim{})}
	for _, c := range experiments.All() {
		view.Claims = append(view.Claims, s.claimLine(c))
	}
	s.render(w, r, http.StatusOK, "claims.html", "Claims", view)
}

func (s *Server) claimLine(c experiments.Claim) claimLine {
	line := claimLine{Name: c.Name, Statement: c.Statement, Budget: seconds(c.Budget), Lacks: s.claims.lacks(c)}
	if recorded, ok := s.claims.recorded(c.Name); ok {
		line.Recorded = recorded.Verdict
	}
	if done := s.claims.result(c.Name); done != nil {
		line.Here = done.Word
	}
	return line
}

func (s *Server) showClaim(w http.ResponseWriter, r *http.Request) {
	claim, err := claimNamed(r.PathValue("name"))
	if err != nil {
		s.refuse(w, r, http.StatusNotFound, err)
		return
	}
	view := claimView{
		claimLine: s.claimLine(claim), Rule: claim.Rule, Delta: claim.Delta.String(), Signature: claim.Signature.Words, Broker: s.claims.broker(claim),
		Now: s.claimNow(claim),
	}
	if len(view.Lacks) > 0 {
		view.Commands, view.Terminal = s.claims.commands(claim)
	}
	if recorded, ok := s.claims.recorded(claim.Name); ok {
		view.Record, view.RecordedOn = s.claimReport(recorded), cmp.Or(recorded.BrokerIs, "no broker")
	}
	s.render(w, r, http.StatusOK, "claims.html", "Claim "+claim.Name, claimsView{One: &view})
}

// claimNamed finds a claim, and for an unknown name says which one is nearest.
func claimNamed(name string) (experiments.Claim, error) {
	found, err := experiments.Named(name)
	if err != nil {
		return experiments.Claim{}, err
	}
	if len(found) != 1 { // "all" is a word of the command line
		return experiments.Claim{}, fmt.Errorf("no claim %q: choose one of the list", name)
	}
	return found[0], nil
}

// doClaim runs a claim, or cancels the one that runs.
func (s *Server) doClaim(w http.ResponseWriter, r *http.Request) {
	claim, err := claimNamed(r.PathValue("name"))
	if err != nil {
		s.refuse(w, r, http.StatusNotFound, err)
		return
	}
	var say string
	status := http.StatusConflict
	switch r.PostForm.Get("do") {
	case "run":
		err, say = s.claims.start(claim), claim.Name+" runs"
	case "cancel":
		err, say = s.claims.cancel(claim.Name), claim.Name+" is cancelled"
	default:
		err, status = errors.New("do: use run or cancel"), http.StatusBadRequest
	}
	if err != nil {
		s.refuse(w, r, status, err)
		return
	}
	to := "/claims/" + claim.Name
	if r.PostForm.Get("from") == "list" {
		s.done(w, r, "/claims", answer{Say: say, Parts: s.claimParts(experiments.Claim{})})
		return
	}
	s.done(w, r, to, answer{Say: say, Parts: s.claimParts(claim)})
}

// claimFragments are the live parts of the claims' pages.
func (s *Server) claimFragments(_ *lab.Live, _ lab.Snapshot, at *url.URL) map[string]template.HTML {
	claim, _ := claimNamed(strings.TrimPrefix(strings.TrimPrefix(at.Path, "/claims"), "/")) // else the page of all
	return s.claimParts(claim)
}

func (s *Server) claimParts(of experiments.Claim) map[string]template.HTML {
	return map[string]template.HTML{"claim-now": s.fragment("claims.html", "claim-now", s.claimNow(of))}
}

// claimNow is what goes on, for the page of a claim, or for that of all claims when it has no name.
func (s *Server) claimNow(of experiments.Claim) claimNow {
	now := claimNow{Name: of.Name, CanRun: len(s.claims.lacks(of)) == 0, Running: s.claims.status()}
	if now.Running != nil {
		now.Mine, now.Other = now.Running.Name == of.Name, now.Running.Name != of.Name
	}
	if of.Name != "" {
		now.Done = s.claims.result(of.Name)
	}
	return now
}

// claimReport is a report as a part of the page. The files that its commands name are not kept.
func (s *Server) claimReport(r experiments.Report) template.HTML {
	if r.Evidence != nil {
		evidence := *r.Evidence
		evidence.Open, r.Evidence = "", &evidence
	}
	var b strings.Builder
	if err := r.WriteHTML(&b); err != nil {
		s.config.Logger.Error("a report cannot be shown", "claim", r.Name, "error", err)
		return `<p class="problem">This report cannot be shown; the program's log says why.</p>`
	}
	return template.HTML(b.String()) //nolint:gosec // html/template has escaped it
}

// claimStyle is the style sheet of reports, within the element that shows one.
func (s *Server) claimStyle(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(slices.Concat([]byte(".claim {\n"), experiments.ReportStyle(), []byte("}\n"))) // who has gone away needs none
}

// seconds writes a time that a claim takes.
func seconds(d time.Duration) string { return fmt.Sprintf("%.0f s", d.Seconds()) }
