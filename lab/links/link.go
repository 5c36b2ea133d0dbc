// Package links makes connections between parts of a lab slow, narrow, cut or reset, by a proxy (toxiproxy) for each link. It knows names and
// addresses, and nothing of what goes over them.
package links

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tracelab/internal/vocabulary"
)

// Link is how the way from one part to another is disturbed. It holds for the connections that From opens, in both directions.
type Link struct {
	From, To  string
	Latency   time.Duration // each way
	Jitter    time.Duration // of the latency, up or down
	Bandwidth int           // KB/s each way; 0: as it is
	Cut       bool          // nothing passes, and nobody is told
	Reset     bool          // connections are reset
	Begin     time.Duration // of the disturbance, from the first order's intended start
	End       time.Duration // 0: with the run
}

// Most bounds the links of a run.
const Most = 32

const (
	maxLatency   = 10 * time.Second
	maxBandwidth = 1_000_000 // KB/s
	maxTime      = 24 * time.Hour
)

// Kinds lists what a link may be told to be.
func Kinds() []string {
	return []string{"latency=DURATION (each way)", "jitter=DURATION (of the latency)", "bandwidth=KB/s", "cut (nothing passes)", "reset (connections are reset)", "from=TIME, to=TIME (of the run)"}
}

func names() []string {
	return []string{"latency", "jitter", "bandwidth", "cut", "reset", "from", "to"}
}

// Parse reads A>B:KIND[=VALUE][,…], such as orders>payment:latency=40ms,jitter=5ms,from=1s,to=3s. From may be one of from, To one of to. The
// error names the part that is wrong and what would be right.
func Parse(text string, from, to []string) (Link, error) {
	var l Link
	ends, kinds, ok := strings.Cut(text, ":")
	a, b, arrow := strings.Cut(ends, ">")
	if !ok || !arrow {
		return l, fmt.Errorf("link %q: write it as A>B:KIND[=VALUE][,…], such as 'orders>payment:latency=40ms'", text)
	}
	l.From, l.To = a, b
	if !slices.Contains(from, a) {
		return l, fmt.Errorf("link %q: %w", text, &vocabulary.UnknownError{What: "part that opens connections", Word: a, Known: from})
	}
	if !slices.Contains(to, b) {
		return l, fmt.Errorf("link %q: %w", text, &vocabulary.UnknownError{What: "part that takes connections", Word: b, Known: to})
	}
	if a == b {
		return l, fmt.Errorf("link %q: %s has no connection to itself", text, a)
	}
	seen := map[string]bool{}
	for part := range strings.SplitSeq(kinds, ",") {
		name, value, valued := strings.Cut(part, "=")
		if seen[name] {
			return l, fmt.Errorf("link %q: %s is there twice", text, name)
		}
		seen[name] = true
		if err := l.set(name, value, valued); err != nil {
			return l, fmt.Errorf("link %q: %w", text, err)
		}
	}
	if err := l.check(); err != nil {
		return l, fmt.Errorf("link %q: %w", text, err)
	}
	return l, nil
}

// set reads one part.
func (l *Link) set(name, value string, valued bool) (err error) {
	switch name {
	case "latency":
		l.Latency, err = duration(name, value, maxLatency)
	case "jitter":
		l.Jitter, err = duration(name, value, maxLatency)
	case "from":
		l.Begin, err = duration(name, value, maxTime)
	case "to":
		l.End, err = duration(name, value, maxTime)
	case "bandwidth":
		if l.Bandwidth, err = strconv.Atoi(value); err != nil || l.Bandwidth < 1 || l.Bandwidth > maxBandwidth {
			err = fmt.Errorf("bandwidth %q: use KB/s from 1 to %d", value, maxBandwidth)
		}
	case "cut", "reset":
		if valued {
			return fmt.Errorf("%s=%s: this kind takes no value", name, value)
		}
		l.Cut, l.Reset = l.Cut || name == "cut", l.Reset || name == "reset"
	default:
		err = &vocabulary.UnknownError{What: "kind of link", Word: name, Known: names()}
	}
	return err
}

// check finds what does not go together.
func (l *Link) check() error {
	switch {
	case l.Jitter > 0 && l.Latency == 0:
		return errors.New("a jitter is of a latency: add latency=DURATION")
	case l.Jitter > l.Latency:
		return fmt.Errorf("jitter %v is more than latency %v", l.Jitter, l.Latency)
	case l.Cut && l.Reset:
		return errors.New("cut or reset, not both")
	case l.Latency == 0 && l.Bandwidth == 0 && !l.Cut && !l.Reset:
		return errors.New("say what it is: latency=DURATION, bandwidth=KB/s, cut or reset")
	case l.End > 0 && l.End <= l.Begin:
		return fmt.Errorf("from=%v,to=%v: it would end before it begins", l.Begin, l.End)
	}
	return nil
}

func duration(name, value string, most time.Duration) (time.Duration, error) {
	d, err := time.ParseDuration(value)
	if err != nil || d <= 0 || d > most {
		return 0, fmt.Errorf("%s %q: use a duration such as 40ms, over 0 and up to %v", name, value, most)
	}
	return d, nil
}

// String writes the link as Parse reads it.
func (l Link) String() string {
	var parts []string
	add := func(name string, value any, is bool) {
		if is {
			parts = append(parts, fmt.Sprintf("%s=%v", name, value))
		}
	}
	add("latency", l.Latency, l.Latency > 0)
	add("jitter", l.Jitter, l.Jitter > 0)
	add("bandwidth", l.Bandwidth, l.Bandwidth > 0)
	if l.Cut {
		parts = append(parts, "cut")
	}
	if l.Reset {
		parts = append(parts, "reset")
	}
	add("from", l.Begin, l.Begin > 0)
	add("to", l.End, l.End > 0)
	return l.From + ">" + l.To + ":" + strings.Join(parts, ",")
}

// Split takes lists of links with commas between them apart: what has no arrow belongs to the link before it.
func Split(texts []string) []string {
	var list []string
	for _, text := range texts {
		begin, at := 0, 0
		for part := range strings.SplitSeq(text, ",") {
			if at > begin && strings.Contains(part, ">") {
				list = append(list, text[begin:at-1])
				begin = at
			}
			at += len(part) + 1
		}
		list = append(list, text[begin:])
	}
	return list
}
