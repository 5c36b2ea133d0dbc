package predict

import (
	"fmt"
	"strings"
)

// UnknownHopError reports a name that no hop has.
type UnknownHopError struct {
	Name  string
	Known []string // the names of the hops that there are
}

// Error says which names there are.
func (e *UnknownHopError) Error() string {
	if len(e.Known) == 0 {
		return fmt.Sprintf("%q is no hop: the journeys have no calls to other services and no messages", e.Name)
	}
	return fmt.Sprintf("%q is no hop: there are %s", e.Name, strings.Join(e.Known, ", "))
}

// CarrierError reports a hop that cannot get the carrier that was asked for.
type CarrierError struct {
	Name string
	Why  string
}

// Error names the hop.
func (e *CarrierError) Error() string { return e.Name + " " + e.Why }

// ErrNothingTurned reports that no hop was named.
var ErrNothingTurned = fmt.Errorf("no hop is to get another carrier")

// IncompleteError reports that spans of every journey are missing.
type IncompleteError struct {
	Journeys int
	Reason   string // of the first
}

// Error says why.
func (e *IncompleteError) Error() string {
	return fmt.Sprintf("all of the journeys are incomplete (%d): %s", e.Journeys, e.Reason)
}

// MissingConstantError reports a constant that the turned hops need, and that was neither given nor measured.
type MissingConstantError struct {
	Message bool // publish and delivery are not known; else the overhead of a call
	Name    string
}

// Error says what is missing, and where it could come from.
func (e *MissingConstantError) Error() string {
	if e.Message {
		return e.Name + " has no messages to measure publish and delivery on: take them from a set that has some, or give both"
	}
	return e.Name + " has no calls to measure a call's overhead on: take it from a set that has some, or give it"
}
