package control_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"tracelab/internal/testmain"
	"tracelab/tools/internal/control"
)

func TestMain(m *testing.M) { testmain.Run(m) }

// server is a server that answers at a port of its folder, if it is one that exists.
func server(absent string) control.Server {
	return control.Server{
		Name: "bread", Noun: "oven", Port: 1234,
		Start: func(_ context.Context, _ string, port int, _ io.Writer) (string, error) {
			return fmt.Sprintf("127.0.0.1:%d", port), nil
		},
		Status: func(_ context.Context, dir string, _ io.Writer) (string, error) {
			if dir == absent {
				return "", errors.New("not running (" + dir + ")")
			}
			return "127.0.0.1:1234", nil
		},
		Stop: func(_ context.Context, dir string, log io.Writer) error {
			_, err := fmt.Fprintf(log, "bread: not running (%s)\n", dir)
			return err
		},
	}
}

func TestCommandLine(t *testing.T) {
	absent := filepath.Join(t.TempDir(), "absent")
	for _, c := range []struct {
		args       []string
		code       int
		says, goes string // to stderr and to stdout
	}{
		{nil, 2, "usage", ""},
		{[]string{"restart"}, 2, `unknown command "restart"`, ""},
		{[]string{"start", "-port", "65536"}, 2, "ports go from", ""},
		{[]string{"start", "9092"}, 2, "takes no arguments", ""},
		{[]string{"stop", "-port", "1"}, 2, "-port", ""},
		{[]string{"start", "-help"}, 0, "-timeout", ""},
		{[]string{"start", "-state", absent}, 0, "", "127.0.0.1:1234\n"},
		{[]string{"start", "-state", absent, "-port", "0"}, 0, "", "127.0.0.1:0\n"},
		{[]string{"status", "-state", t.TempDir()}, 0, "", "127.0.0.1:1234\n"},
		{[]string{"status", "-state", absent}, 1, "bread: not running (" + absent + ")", ""},
		{[]string{"stop", "-state", absent}, 0, "not running (" + absent + ")", ""},
	} {
		var stdout, stderr bytes.Buffer
		if code := server(absent).Run(t.Context(), c.args, &stdout, &stderr); code != c.code || !strings.Contains(stderr.String(), c.says) || stdout.String() != c.goes {
			t.Errorf("%q gives %d, %q, %q, want %d, %q and %q", c.args, code, stderr.String(), stdout.String(), c.code, c.says, c.goes)
		}
	}
}
