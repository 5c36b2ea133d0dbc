//go:build linux || darwin

package stack

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"tracelab/internal/flock"
)

// State is what a start leaves behind, in stack.json.
type State struct {
	Parts     []Part            `json:"parts"` // in the order in which they were started
	LeftOut   map[string]string `json:"left_out"`
	Addresses map[string]string `json:"addresses"` // under the names of tracelab's environment variables
}

// Part is one process.
type Part struct {
	Name    string        `json:"name"`
	PID     int           `json:"pid"`
	Started time.Time     `json:"started"`
	Took    time.Duration `json:"took_ns"` // until it was healthy
	Health  string        `json:"health,omitempty"`
	Log     string        `json:"log"`
	Grace   time.Duration `json:"grace_ns"`          // how long it may take to stop
	Address string        `json:"address,omitempty"` // host:port of a server; empty for the others
	Metrics string        `json:"metrics,omitempty"` // host:port of a server's page for Prometheus, if it has one

	// How it was started, to start it again.
	Path string   `json:"path,omitempty"` // empty for servers
	Args []string `json:"args,omitempty"`
	Env  []string `json:"env,omitempty"` // KEY=VALUE
}

// readState returns no parts when nothing was ever started there.
func (l layout) readState() (State, error) {
	var s State
	text, err := os.ReadFile(l.stateFile())
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		return s, fmt.Errorf("%s: %w", l.stateFile(), err)
	}
	return s, nil
}

// writeState writes to a new file and renames it, so that a reader sees all of it or the one before.
func (l layout) writeState(s State) error {
	return errors.Join(writeJSON(l.stateFile(), s), writeJSON(l.addressesFile(), s.Addresses))
}

func writeJSON(path string, value any) error {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".next", append(text, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(path+".next", path)
}

// runs says whether the part's process is alive.
func (l layout) runs(name string) (bool, error) {
	f, err := flock.Try(l.lock(name))
	switch {
	case errors.Is(err, flock.ErrHeld):
		return true, nil
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	}
	return false, f.Close()
}

// find returns a handle on the part's process, or nil when it has ended. The handle is taken before the lock is looked at: on Linux it
// stays with that very process, whoever gets the pid afterwards.
func (l layout) find(part Part) (*os.Process, error) {
	target, err := os.FindProcess(part.PID)
	if err != nil {
		return nil, err
	}
	alive, err := l.runs(part.Name)
	if err != nil || !alive {
		return nil, errors.Join(err, target.Release())
	}
	return target, nil
}
