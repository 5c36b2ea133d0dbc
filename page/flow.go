package page

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"html/template"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"

	"tracelab/lab"
	"tracelab/services/flows"
)

// flowFileName is how errors name the text in the page.
const flowFileName = "flow.yaml"

// mostFlowForm bounds the form of a flow: its file at most, where each byte may be sent as three.
const mostFlowForm = 3*flows.MaxFileBytes + 4<<10

// closeTime is how long a lab may take to end when another one takes its place.
const closeTime = 10 * time.Second

// flowText is the file of the flow that the lab runs.
type flowText struct {
	opening sync.Mutex // held while another lab opens
	mu      sync.Mutex
	text    string
}

func (f *flowText) set(text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.text = text
}

func (f *flowText) get() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.text
}

func (s *Server) routesOfFlow(mux *http.ServeMux) {
	mux.HandleFunc("GET /flow", s.withLab(s.showFlow))
	mux.HandleFunc("POST /flow", s.withLab(s.runFlow))
	mux.HandleFunc("POST /flow/check", s.withLab(s.checkFlow))
	mux.HandleFunc("POST /flow/file", s.withLab(s.downloadFlow))
}

// flowView is the page of the flow.
type flowView struct {
	Running  string // the flow that the lab runs
	Text     string
	From     string // the built-in flow that the text is
	Builtins []flows.Builtin
	Check    flowCheck
	CanRun   bool
	Wrong    string // why nothing was done
}

// flowCheck is what is to say of a flow's text.
type flowCheck struct {
	Name, Says string
	Drawing    template.HTML
	Error      *flows.Error // nil: the text is a flow that can run
	Around     []excerptLine
}

// excerptLine is a line of the text near the one that is wrong.
type excerptLine struct {
	Number int
	Text   string
	Wrong  bool
}

func (s *Server) showFlow(w http.ResponseWriter, r *http.Request, l *lab.Live) {
	from := r.FormValue("from")
	text, wrong, status := s.currentFlow(l), "", http.StatusOK
	if from != "" {
		source, err := flows.Source(from)
		if err != nil {
			wrong, status = helpful(err).Error(), http.StatusNotFound
		} else {
			text = string(source)
		}
	}
	view := s.flowView(l, text)
	view.From, view.Wrong = from, wrong
	s.render(w, r, status, "flow.html", "Flow", view)
}

// currentFlow is the text of the flow that the lab runs.
func (s *Server) currentFlow(l *lab.Live) string {
	if text := cmp.Or(s.flow.get(), s.config.FlowText); text != "" {
		return text
	}
	source, _ := flows.Source(l.Flow().Name) // a built-in one, else nothing is known of its file
	return string(source)
}

func (s *Server) flowView(l *lab.Live, text string) flowView {
	check, _ := s.judgeFlow(text)
	return flowView{Running: l.Flow().Name, Text: text, Builtins: flows.Builtins(), Check: check, CanRun: s.config.Reopen != nil}
}

// judgeFlow reads a text as a flow, and says what there is to say of it. The flow is nil when it is none.
func (s *Server) judgeFlow(text string) (flowCheck, *flows.Flow) {
	f, err := flows.Parse(flowFileName, []byte(text))
	if err != nil {
		wrong, ok := errors.AsType[*flows.Error](err)
		if !ok {
			wrong = &flows.Error{File: flowFileName, Problem: err.Error()}
		}
		return flowCheck{Error: wrong, Around: around(text, wrong.Line)}, nil
	}
	var drawing strings.Builder
	if err := f.WriteDrawing(&drawing); err != nil {
		s.config.Logger.Error("a flow cannot be drawn", "flow", f.Name, "error", err)
	}
	says := countOf(len(f.Rows), "step") + " of " + countOf(len(f.Services())-1, "service") + ", in " + countOf(len(f.Forms()), "form")
	return flowCheck{Name: f.Name, Says: says, Drawing: template.HTML(drawing.String())}, f //nolint:gosec // html/template has escaped it
}

// around are the lines about one that is wrong.
func around(text string, line int) []excerptLine {
	const beside, widest = 2, 160
	var list []excerptLine
	number := 0
	for content := range strings.Lines(text) {
		number++
		if number < line-beside || line == 0 {
			continue
		}
		if number > line+beside {
			break
		}
		content = strings.TrimRight(content, "\r\n")
		if runes := []rune(content); len(runes) > widest {
			content = string(runes[:widest-1]) + "…"
		}
		list = append(list, excerptLine{Number: number, Text: content, Wrong: number == line})
	}
	return list
}

// sentFlow is the text that a form carries, with the ends of lines that files have here.
func sentFlow(r *http.Request) string {
	return strings.ReplaceAll(r.PostForm.Get("flow"), "\r\n", "\n")
}

func (s *Server) checkFlow(w http.ResponseWriter, r *http.Request, l *lab.Live) {
	view := s.flowView(l, sentFlow(r))
	if !wantsJSON(r) {
		s.render(w, r, http.StatusOK, "flow.html", "Flow", view)
		return
	}
	s.answerJSON(w, http.StatusOK, answer{Parts: s.flowParts(view.Check)})
}

func (s *Server) flowParts(check flowCheck) map[string]template.HTML {
	return map[string]template.HTML{"flow-check": s.fragment("flow.html", "flow-check", check)}
}

// runFlow opens the lab anew with the flow that was sent. Whatever is wrong with it, the lab before stays.
func (s *Server) runFlow(w http.ResponseWriter, r *http.Request, l *lab.Live) {
	text := sentFlow(r)
	check, f := s.judgeFlow(text)
	if f == nil {
		s.flowRefused(w, r, l, text, http.StatusUnprocessableEntity, "The lab keeps its flow: "+check.Error.Error())
		return
	}
	if s.config.Reopen == nil {
		s.flowRefused(w, r, l, text, http.StatusConflict, "This lab keeps the flow that it was started with.")
		return
	}
	if !s.flow.opening.TryLock() {
		s.flowRefused(w, r, l, text, http.StatusConflict, "Another flow is being opened just now: try again.")
		return
	}
	defer s.flow.opening.Unlock()
	ctx := context.WithoutCancel(r.Context()) // a tab that is closed meanwhile leaves no lab behind
	opened, err := s.config.Reopen(ctx, f, text)
	if err != nil {
		s.flowRefused(w, r, l, text, http.StatusConflict, fmt.Sprintf("The flow cannot run here, so the lab keeps its flow: %v.", err))
		return
	}
	before := s.Lab()
	s.flow.set(text)
	s.Use(opened)
	ending, cancel := context.WithTimeout(ctx, closeTime)
	defer cancel()
	if err := before.Close(ending); err != nil {
		s.config.Logger.Warn("the lab before did not end in time", "error", err)
	}
	s.done(w, r, "/", answer{Say: "The lab runs the flow " + f.Name + " now.", Go: "/"})
}

// flowRefused shows the text again, and why nothing was done with it.
func (s *Server) flowRefused(w http.ResponseWriter, r *http.Request, l *lab.Live, text string, status int, why string) {
	view := s.flowView(l, text)
	view.Wrong = why
	if wantsJSON(r) {
		s.answerJSON(w, status, answer{Say: why, Wrong: true, Parts: s.flowParts(view.Check)})
		return
	}
	s.render(w, r, status, "flow.html", "Flow", view)
}

// downloadFlow gives the text back as a file.
func (s *Server) downloadFlow(w http.ResponseWriter, r *http.Request, _ *lab.Live) {
	name := flowFileName
	text := sentFlow(r)
	if f, err := flows.Parse(flowFileName, []byte(text)); err == nil {
		name = f.Name + ".yaml"
	}
	w.Header().Set("Content-Type", "application/yaml; charset=utf-8")
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	_, _ = w.Write([]byte(text)) // who has gone away needs no file
}
