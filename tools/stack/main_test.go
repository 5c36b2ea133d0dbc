//go:build linux || darwin

package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestCommandLine(t *testing.T) {
	empty := t.TempDir()
	for _, c := range []struct {
		args   []string
		code   int
		stderr string
	}{
		{nil, 2, "usage: stack"},
		{[]string{"begin"}, 2, "usage: stack"},
		{[]string{"stop", "now"}, 2, "takes no arguments"},
		{[]string{"stop", "-free-ports"}, 2, "not defined"},
		{[]string{"start", "-h"}, 0, "free-ports"},
		{[]string{"status", "-state", empty}, 1, "nothing runs (" + empty + ")"},
		{[]string{"env", "-state", empty}, 1, "no stack runs in " + empty},
		{[]string{"stop", "-state", empty}, 0, "nothing was started in " + empty},
	} {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), c.args, &stdout, &stderr)
		if code != c.code || !strings.Contains(stderr.String(), c.stderr) || stdout.Len() > 0 {
			t.Errorf("%q: exit status %d, standard output %q, standard error %q; want %d and %q", c.args, code, stdout.String(), stderr.String(), c.code, c.stderr)
		}
	}
}
