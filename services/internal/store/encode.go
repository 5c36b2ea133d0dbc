package store

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
)

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// unbase64url decodes text into a buffer of its length; no text is all zeros.
func unbase64url(into, text []byte) error {
	clear(into)
	if len(text) == 0 {
		return nil
	}
	decoded, err := base64.RawURLEncoding.DecodeString(string(text))
	if err != nil || len(decoded) != len(into) {
		return fmt.Errorf("key %q: no base64 of %d bytes", text, len(into))
	}
	copy(into, decoded)
	return nil
}

// clone copies a unit with everything in it.
func (u *Unit) clone() *Unit {
	c := *u
	c.Body, c.Steps, c.Failures = maps.Clone(u.Body), slices.Clone(u.Steps), slices.Clone(u.Failures)
	c.Arrived, c.Handlings = slices.Clone(u.Arrived), slices.Clone(u.Handlings)
	return &c
}

// add adds other sums and drops those that become 0.
func (s Sums) add(other Sums) {
	for name, n := range other {
		if s[name] += n; s[name] == 0 {
			delete(s, name)
		}
	}
}

// newID makes an id of a store.
func newID() string { return rand.Text()[:12] }
