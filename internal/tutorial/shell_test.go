package tutorial

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

func newShell(t *testing.T) *Shell {
	t.Helper()
	shell, err := NewShell(t.Context(), t.TempDir(), os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := shell.Close(); err != nil {
			t.Error(err)
		}
	})
	return shell
}

func run(t *testing.T, shell *Shell, command string) string {
	t.Helper()
	printed, _, err := shell.Run(command)
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	return printed
}

// TestLoopsEndWithWhatTheyWaitFor lets a server fail that the next command waits for.
func TestLoopsEndWithWhatTheyWaitFor(t *testing.T) {
	shell := newShell(t)
	run(t, shell, "sh -c 'echo the port is taken; exit 1' > lab.log 2>&1 & lab=$!")
	_, _, err := shell.Run("until grep -qs ready lab.log; do sleep 0.01; done; echo ready")
	if err == nil || !strings.Contains(err.Error(), "in the background has ended") || !strings.Contains(err.Error(), "the port is taken") {
		t.Errorf("%v, want the end of the loop, and what the server said", err)
	}
}

func TestLoopsEndWhenTheyWaitInVain(t *testing.T) {
	shell := newShell(t)
	run(t, shell, "command sleep 600 & lab=$!")
	_, _, err := shell.Run("slept=890; until grep -qs ready lab.log; do sleep 0; done; echo ready")
	if err == nil || !strings.Contains(err.Error(), "waited in vain") {
		t.Errorf("%v, want the end of the loop", err)
	}
}

// TestLoopsGoOnWithoutWhatAPageEnded waits after jobs that the page itself has ended.
func TestLoopsGoOnWithoutWhatAPageEnded(t *testing.T) {
	shell := newShell(t)
	run(t, shell, "command sleep 600 & first=$!")
	run(t, shell, "kill $first; wait $first")
	run(t, shell, "(sleep 0.1; touch there; command sleep 600) & second=$!")
	if got := run(t, shell, "until test -e there; do sleep 0.01; done; echo there"); got != "there\n" {
		t.Errorf("printed %q", got)
	}
	run(t, shell, "kill $second; wait $second")
	if got := run(t, shell, "sleep 0.01; echo $?"); got != "0\n" {
		t.Errorf("printed %q", got)
	}
}

// TestAlonePortsAreFree takes the same port in two shells.
func TestAlonePortsAreFree(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("no python3, which listens here")
	}
	for range 2 {
		shell, err := NewShellAlone(t.Context(), t.TempDir(), os.Environ())
		if err != nil {
			t.Skipf("no network of its own here: %v", err)
		}
		run(t, shell, `python3 -c 'import socket, time
with socket.create_server(("127.0.0.1", 18080)): print("listens", flush=True); time.sleep(600)' > server.log 2>&1 & server=$!`)
		run(t, shell, "until grep -qs listens server.log; do sleep 0.01; done")
		t.Cleanup(func() {
			if err := shell.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
