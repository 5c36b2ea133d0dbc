package experiments

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"tracelab/experiments/verdict"
	"tracelab/internal/hint"
	"tracelab/journey"
	"tracelab/services"
)

// labsFolder has the run directories of a session, in the folder of its results.
const labsFolder = "labs"

// Evidence is the journey that a person should open, and what to look for in it.
type Evidence struct {
	Look  string `json:"look_for"` // what a person will see
	Form  string `json:"form"`
	Order int    `json:"order"`  // its number
	Trace string `json:"trace"`  // of its root
	File  string `json:"file"`   // with its spans; Jaeger's upload page takes it
	Open  string `json:"open"`   // the command that shows it
	Seen  int    `json:"seen"`   // journeys that show it
	Of    int    `json:"of"`     // those that were looked at
	Miss  string `json:"misses"` // what the first of the others lacks
}

// Show looks for the claim's signature in journeys of a form (all of them, or those of some orders), keeps the first journey that shows
// it, and has a gate checked: a claim whose traces do not show what it says is not valid.
func (l *Lab) Show(ran *Ran, form services.Form, numbers ...int) error {
	journeys, err := ran.Journeys(form)
	if err != nil {
		return err
	}
	if len(numbers) == 0 {
		for i := range journeys {
			numbers = append(numbers, i)
		}
	}
	e := &Evidence{Look: l.claim.Signature.Words, Form: string(form)}
	var shown *journey.Journey
	for _, number := range numbers {
		if number < 0 || number >= len(journeys) || journeys[number] == nil {
			continue
		}
		e.Of++
		if err := l.claim.Signature.Seen(journeys[number]); err != nil {
			if e.Miss == "" {
				e.Miss = fmt.Sprintf("order %d: %v", number, err)
			}
			continue
		}
		if e.Seen++; shown == nil {
			shown, e.Order = journeys[number], number
		}
	}
	l.Gate(signatureGate(e))
	if shown == nil {
		return nil
	}
	if root, ok := shown.Root(); ok {
		e.Trace = shown.Set().Span(root).Trace.String()
	}
	if e.File, err = l.session.keep(l.claim.Name, ran.run.File(string(form)), shown); err != nil {
		return err
	}
	e.Open = hint.Command(l.session.Program, "journey", filepath.Join(l.session.dir, e.File))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.evidence = e
	return nil
}

func signatureGate(e *Evidence) verdict.Gate {
	g := verdict.Gate{Name: "traces show it", Passed: e.Seen > 0, Measured: fmt.Sprintf("%d of %d journeys of %s do", e.Seen, e.Of, e.Form)}
	if !g.Passed {
		g.Change = "look at the journeys: they lack what they should show"
		if e.Miss != "" {
			g.Measured += ": " + e.Miss
		}
	}
	return g
}

// keep copies the spans of a journey into a file of their own, and returns its name in the folder of the results.
func (s *session) keep(claim, from string, j *journey.Journey) (name string, err error) {
	in, err := os.Open(from)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	var traces [][]byte
	for _, id := range j.Traces() {
		traces = append(traces, []byte(`"`+id.String()+`"`))
	}
	var kept bytes.Buffer
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		for _, id := range traces {
			if bytes.Contains(line, id) { // a line is of one order
				kept.Write(line)
				break
			}
		}
		if err != nil {
			break // io.EOF, or what stays unread shows in an empty file
		}
	}
	if kept.Len() == 0 {
		return "", fmt.Errorf("%s has no spans of the journey of %s", from, claim)
	}
	name = claim + ".otlp.jsonl"
	return name, os.WriteFile(filepath.Join(s.dir, name), kept.Bytes(), 0o644) //nolint:gosec // for anybody to read
}
