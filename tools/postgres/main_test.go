//go:build linux || darwin

package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

func TestCommandLine(t *testing.T) {
	absent := filepath.Join(t.TempDir(), "absent")
	for _, c := range []struct {
		args []string
		code int
		text string
	}{
		{nil, 2, "usage"},
		{[]string{"restart"}, 2, `unknown command "restart"`},
		{[]string{"start", "-port", "65536"}, 2, "ports go from"},
		{[]string{"start", "5432"}, 2, "takes no arguments"},
		{[]string{"stop", "-port", "1"}, 2, "-port"},
		{[]string{"start", "-help"}, 0, "-timeout"},
		{[]string{"status", "-state", absent}, 1, "not running (" + absent + ")"},
		{[]string{"stop", "-state", absent}, 0, "not running (" + absent + ")"},
	} {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), c.args, &stdout, &stderr); code != c.code || !strings.Contains(stderr.String(), c.text) || stdout.Len() > 0 {
			t.Errorf("%q gives %d, %q, want %d and %q", c.args, code, stderr.String(), c.code, c.text)
		}
	}
}
