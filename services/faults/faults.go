// Package faults makes services misbehave on purpose. It has one file for each kind of fault, and their list here. A fault is
// written SERVICE:KIND[=VALUE][@SHARE][,from=D][,to=D][,attempt=N] and acts on that share of the orders, in every step of the service.
//
// To add a kind, write a file with it (a name, how to read its value, what it does), and add it to the list.
package faults

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tracelab/internal/vocabulary"
)

// Fault is one way in which one service misbehaves for a share of the orders.
type Fault struct {
	Service string
	Kind    string
	Value   string
	Share   float64 // of the orders, 0 < Share ≤ 1
	// From and To bound the time of the run in which it acts: from the first order's intended start; To 0: to the end.
	From, To time.Duration
	Attempt  int // the only attempt at the step on which it acts, from 1 on; 0: on each
}

// kind is one sort of fault.
type kind struct {
	name  string
	usage string
	check func(value string) error
	// act misbehaves: it returns late, or with the error that the step ends with. Nil: the kind acts on hops.
	act func(ctx context.Context, value string) error
}

func kinds() []kind {
	return append(append([]kind{delay(), failure(), hang()}, hopKinds()...), crash())
}

// Kinds lists the kinds with their usage.
func Kinds() []string {
	var names []string
	for _, k := range kinds() {
		names = append(names, k.usage)
	}
	return names
}

// Error is the error of a step that a fault made fail.
type Error struct {
	Reason string // the span's error.type
}

// Error says that a fault was injected, and its reason.
func (e *Error) Error() string { return "fault: " + e.Reason }

// Parse reads SERVICE:KIND[=VALUE][@SHARE]. The error names the part that is wrong and what would be right.
func Parse(text string, services []string) (Fault, error) {
	f := Fault{Share: 1}
	what, qualifiers, qualified := strings.Cut(text, ",")
	service, rest, ok := strings.Cut(what, ":")
	if !ok {
		return f, fmt.Errorf("fault %q: write it as SERVICE:KIND[=VALUE][@SHARE][,from=D][,to=D][,attempt=N], such as payment:delay=200ms@0.5", text)
	}
	f.Service = service
	if !slices.Contains(services, service) {
		return f, fmt.Errorf("fault %q: %w", text, &vocabulary.UnknownError{What: "service", Word: service, Known: services})
	}
	if qualified {
		if err := f.qualify(qualifiers); err != nil {
			return f, fmt.Errorf("fault %q: %w", text, err)
		}
	}
	rest, share, shared := cutLast(rest, "@")
	if shared {
		var err error
		if f.Share, err = strconv.ParseFloat(share, 64); err != nil || !(f.Share > 0 && f.Share <= 1) {
			return f, fmt.Errorf("fault %q: share %q: use a number over 0 and up to 1", text, share)
		}
	}
	f.Kind, f.Value, _ = strings.Cut(rest, "=")
	for _, k := range kinds() {
		if k.name == f.Kind {
			if err := k.check(f.Value); err != nil {
				return f, fmt.Errorf("fault %q: %w", text, err)
			}
			return f, nil
		}
	}
	var names []string
	for _, k := range kinds() {
		names = append(names, k.name)
	}
	return f, fmt.Errorf("fault %q: %w", text, &vocabulary.UnknownError{What: "kind of fault", Word: f.Kind, Known: names})
}

// String returns the fault as Parse reads it.
func (f Fault) String() string {
	text := f.Service + ":" + f.Kind
	if f.Value != "" {
		text += "=" + f.Value
	}
	if f.Share < 1 {
		text += "@" + strconv.FormatFloat(f.Share, 'g', -1, 64)
	}
	return text + f.qualifiers()
}

// ActsOnSteps tells whether the fault acts on the steps of its service.
func (f Fault) ActsOnSteps() bool {
	return slices.ContainsFunc(kinds(), func(k kind) bool { return k.name == f.Kind && k.act != nil })
}

// Act makes the step misbehave. An unknown kind does nothing: Parse refuses it.
func (f Fault) Act(ctx context.Context) error {
	for _, k := range kinds() {
		if k.name == f.Kind && k.act != nil {
			return k.act(ctx, f.Value)
		}
	}
	return nil
}

// cutLast cuts at the last separator.
func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// positive reads a duration over 0 and up to a limit, so that every fault ends by itself.
func positive(value string, limit time.Duration) (time.Duration, error) {
	d, err := time.ParseDuration(value)
	if err != nil {
		return 0, fmt.Errorf("value %q: use a duration such as 200ms", value)
	}
	if d <= 0 || d > limit {
		return 0, fmt.Errorf("value %q: use a duration over 0 and up to %v", value, limit)
	}
	return d, nil
}
