//go:build linux || darwin

package stack

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"tracelab/internal/parts"
)

// Status is what is seen of one part.
type Status struct {
	Part
	Runs    bool
	Uptime  time.Duration // since it was started, while it runs
	RSS     int64         // bytes of memory that are resident, while it runs
	Trouble string        // that it has ended, or what its health URL answers; empty when all is well
}

// Report returns the status of each part in the order in which they were started; none when nothing was started there.
func Report(ctx context.Context, o Options) (State, []Status, error) {
	l := layout{root: o.Root, state: o.State}
	state, err := l.readState()
	if err != nil {
		return state, nil, err
	}
	var report []Status
	for _, part := range state.Parts {
		s := Status{Part: part}
		if s.Runs, err = l.runs(part.Name); err != nil {
			return state, nil, err
		}
		if !s.Runs {
			s.Trouble = "has ended; its log ends with\n" + parts.Tail(part.Log, 5)
		} else if err := s.look(ctx); err != nil {
			return state, nil, fmt.Errorf("%s: %w", part.Name, err)
		}
		report = append(report, s)
	}
	return state, report, nil
}

// look asks the part for its health, and the system for its memory.
func (s *Status) look(ctx context.Context) error {
	s.Uptime = time.Since(s.Started)
	if s.Health != "" {
		if err := parts.AskHTTP(ctx, s.Health); err != nil {
			s.Trouble = "is not healthy: " + err.Error()
		}
	}
	out, err := exec.CommandContext(ctx, "ps", "-o", "rss=", "-p", strconv.Itoa(s.PID)).Output()
	if err != nil {
		return fmt.Errorf("ps of pid %d: %w", s.PID, err)
	}
	kib, err := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	s.RSS = kib << 10
	return err
}
