package lab

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"tracelab/journey/compare"
	"tracelab/services"
)

// Staleness is how far the view of a form was behind the services whose data it has. Such a form leaves steps out, so it does less than the others
// and is in no comparison with them: this is what it pays.
type Staleness struct {
	LeftOut []services.Step `json:"left_out"` // the steps that reading the view stands for
	Updates int             `json:"updates"`  // since the run's first read
	Reads   int             `json:"reads"`
	// Missed counts the reads that did not see an update which had been committed.
	Missed int `json:"missed"`
	// Visible is the time from an update's commit to its being visible in the view.
	Visible compare.Summary `json:"visible_ms"`
	// Age is the time from the commit of the newest update that a read saw to that read.
	Age compare.Summary `json:"age_ms"`
}

// readStaleness asks how far the run's view was behind, if a form has one.
func (r *running) readStaleness(ctx context.Context) error {
	if r.Flow.ViewOf(r.Forms...) == nil {
		return nil
	}
	return r.env.client.ask(ctx, "/runs/"+r.name+"/view", &r.viewed)
}

// staleness is the figure of a form; nil for one that does all of its flow's steps.
func (r *running) staleness(form services.Form) *Staleness {
	if r.Flow.ViewOf(form) == nil {
		return nil
	}
	return &Staleness{
		LeftOut: r.Flow.LeftOut(form), Updates: len(r.viewed.Delays), Reads: len(r.viewed.Ages), Missed: r.viewed.Missed,
		Visible: compare.Summarize(inMilliseconds(r.viewed.Delays)), Age: compare.Summarize(inMilliseconds(r.viewed.Ages)),
	}
}

func inMilliseconds(ns []int64) []float64 {
	ms := make([]float64, len(ns))
	for i, n := range ns {
		ms[i] = float64(n) / 1e6
	}
	return ms
}

// StalenessNotes say, for each form with a view, how stale it was and what it left out.
func (r *Result) StalenessNotes() []string {
	var notes []string
	for _, form := range r.forms() {
		s := r.Forms[form].Staleness
		if s == nil {
			continue
		}
		steps := make([]string, len(s.LeftOut))
		for i, step := range s.LeftOut {
			steps[i] = string(step)
		}
		notes = append(notes,
			fmt.Sprintf("The form %s reads a view in the place of %s. That is not the same work, so it is in no difference: compare it by its staleness.", form, strings.Join(steps, ", ")),
			fmt.Sprintf("Its staleness: an update is visible %s after its commit (median of %d); what was read was %s old (median of %d); %s missed an update that had been committed.",
				interval(&s.Visible), s.Updates, interval(&s.Age), s.Reads, cmp.Or(count(s.Missed, "read", "reads"), "no read")))
	}
	return notes
}

// stalenessText writes the notes, in lines that fit a screen.
func (r *Result) stalenessText(b *strings.Builder) {
	notes := r.StalenessNotes()
	for _, note := range notes {
		line := ""
		for word := range strings.FieldsSeq(note) {
			if line != "" && len([]rune(line))+1+len([]rune(word)) > textWidth {
				b.WriteString(line + "\n")
				line = ""
			}
			line = strings.TrimSpace(line + " " + word)
		}
		b.WriteString(line + "\n")
	}
	if len(notes) > 0 {
		b.WriteString("\n")
	}
}

// textWidth is how wide the report's sentences are.
const textWidth = 80
