package faults

import (
	"context"

	"tracelab/internal/vocabulary"
)

// Crash is the kind of fault that ends a service in the middle of a step, as kill -9 does.
const Crash = "crash"

// The points of a step at which a service can crash.
const (
	BeforeWork   = "before-work"
	AfterWork    = "after-work"    // and before the step is noted as done: it is done again
	AfterStore   = "after-store"   // when it is noted as done, and nobody has been told
	BeforeCommit = "before-commit" // when what comes next is on its way, and the message is not acknowledged, or the call not answered
)

// CrashPoints lists the points.
func CrashPoints() []string { return []string{BeforeWork, AfterWork, AfterStore, BeforeCommit} }

// crash ends the service. The service does it: at the point itself, once for an order.
func crash() kind {
	return kind{
		name:  Crash,
		usage: "crash=POINT: the service is killed at that point of a step, once for an order, and started again; POINT is before-work, after-work, after-store or before-commit",
		check: func(value string) error {
			for _, point := range CrashPoints() {
				if value == point {
					return nil
				}
			}
			return &vocabulary.UnknownError{What: "point of a crash", Word: value, Known: CrashPoints()}
		},
		act: func(context.Context, string) error { return nil },
	}
}

// CrashesAt tells whether the fault is a crash at a point.
func (f Fault) CrashesAt(point string) bool { return f.Kind == Crash && f.Value == point }
