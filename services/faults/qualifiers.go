package faults

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"tracelab/internal/vocabulary"
)

// maxTime is the latest time of a run that a fault may name.
const maxTime = 24 * time.Hour

// maxAttempt is the highest attempt that a fault may name.
const maxAttempt = 100

// qualifierNames are what may stand behind a fault.
func qualifierNames() []string { return []string{"from", "to", "attempt"} }

// qualify reads what stands behind a fault: from=2s,to=4s,attempt=1.
func (f *Fault) qualify(text string) error {
	seen := map[string]bool{}
	for part := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(part, "=")
		if seen[name] {
			return fmt.Errorf("%s is there twice", name)
		}
		seen[name] = true
		var err error
		switch name {
		case "from":
			f.From, err = timeOfRun(name, value)
		case "to":
			f.To, err = timeOfRun(name, value)
		case "attempt":
			if f.Attempt, err = strconv.Atoi(value); err != nil || f.Attempt < 1 || f.Attempt > maxAttempt {
				err = fmt.Errorf("attempt %q: use a number from 1 to %d", value, maxAttempt)
			}
		default:
			err = &vocabulary.UnknownError{What: "qualifier of a fault", Word: name, Known: qualifierNames()}
		}
		if err != nil {
			return err
		}
	}
	if f.To > 0 && f.To <= f.From {
		return fmt.Errorf("from=%v,to=%v: it would end before it begins", f.From, f.To)
	}
	return nil
}

func timeOfRun(name, value string) (time.Duration, error) {
	d, err := time.ParseDuration(value)
	if err != nil || d <= 0 || d > maxTime {
		return 0, fmt.Errorf("%s %q: use a time of the run such as 2s, over 0 and up to %v", name, value, maxTime)
	}
	return d, nil
}

// qualifiers writes what qualify reads.
func (f Fault) qualifiers() string {
	text := ""
	if f.From > 0 {
		text += ",from=" + f.From.String()
	}
	if f.To > 0 {
		text += ",to=" + f.To.String()
	}
	if f.Attempt > 0 {
		text += ",attempt=" + strconv.Itoa(f.Attempt)
	}
	return text
}

// Timed tells whether the fault acts for a part of the run only.
func (f Fault) Timed() bool { return f.From > 0 || f.To > 0 }

// ActsAt tells whether the fault acts at a time of the run, on an attempt.
func (f Fault) ActsAt(sinceStart time.Duration, attempt int) bool {
	return sinceStart >= f.From && (f.To == 0 || sinceStart < f.To) && (f.Attempt == 0 || f.Attempt == attempt)
}

// Join writes faults as one text, which Split takes apart.
func Join(list []Fault) string {
	texts := make([]string, len(list))
	for i, f := range list {
		texts[i] = f.String()
	}
	return strings.Join(texts, ",")
}

// Split takes a list of faults with commas between them apart. A qualifier belongs to the fault before it.
func Split(text string) []string {
	var texts []string
	begin, end := -1, 0 // of the fault that may go on; -1: there is none yet
	at := 0
	for part := range strings.SplitSeq(text, ",") {
		name, _, _ := strings.Cut(part, "=")
		switch {
		case begin >= 0 && !strings.Contains(name, ":"):
			end = at + len(part)
		case part != "":
			if begin >= 0 {
				texts = append(texts, text[begin:end])
			}
			begin, end = at, at+len(part)
		}
		at += len(part) + 1
	}
	if begin >= 0 {
		texts = append(texts, text[begin:end])
	}
	return texts
}
