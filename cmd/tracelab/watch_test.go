package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestWatchRefusesWrongFlags: before anything starts, with the way out.
func TestWatchRefusesWrongFlags(t *testing.T) {
	const kafka = "--kafka=127.0.0.1:1"
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "name the broker with --kafka"},
		{[]string{kafka, "--quiet", "4s"}, "--quiet 4s: use more than 4s"},
		{[]string{kafka, "--quiet", "0s"}, "use values over 0"},
		{[]string{kafka, "--quiet", "6s", "--window", "5s"}, "--window 5s: use at least --quiet, which is 6s"},
		{[]string{kafka, "--patience", "1s"}, "--patience 1s: use at least --quiet, which is 5s"},
		{[]string{kafka, "--causes", "0"}, "--causes"},
		{[]string{kafka, "--trace-spans=-1"}, "--trace-spans"},
		{[]string{kafka, "--memory=-1"}, "--memory: use 1 or more"},
		{[]string{kafka, "--otlp", "ftp://collector"}, "--otlp"},
	} {
		var out, talk bytes.Buffer
		if status := run(t.Context(), append([]string{"watch"}, c.args...), nil, &out, &talk); status != exitUsage || !strings.Contains(talk.String(), c.want) {
			t.Errorf("watch %q: exit status %d, want %d and %q: %s", c.args, status, exitUsage, c.want, talk.String())
		}
	}
}
