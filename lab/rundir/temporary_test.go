package rundir_test

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"testing"

	"tracelab/internal/testmain"
	"tracelab/lab/rundir"
)

// writerVariable makes the test's program a writer in the folder that it names, until it is killed.
const writerVariable = "RUNDIR_TEST_WRITER"

func TestMain(m *testing.M) {
	if out := os.Getenv(writerVariable); out != "" {
		writeForEver(out)
	}
	testmain.Run(m)
}

// writeForEver begins a run directory, says so, and waits.
func writeForEver(out string) {
	w, err := rundir.Create(out, "run")
	if err == nil {
		_, err = w.Append("grpc", []byte("{}"))
	}
	if err != nil {
		println(err.Error())
		os.Exit(1)
	}
	_, _ = os.Stdout.WriteString("writing\n")
	_, _ = os.Stdin.Read(make([]byte, 1))
	os.Exit(1)
}

// TestLeftoversOfAKilledWriterAreRemoved, and those of a living one are not.
func TestLeftoversOfAKilledWriterAreRemoved(t *testing.T) {
	out := t.TempDir()
	command := exec.CommandContext(t.Context(), os.Args[0])
	command.Env = append(os.Environ(), writerVariable+"="+out)
	stdin, err := command.StdinPipe() // held open
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stdin.Close() }()
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || line != "writing\n" {
		t.Fatalf("the child says %q, %v", line, err)
	}
	prepare := func() []string {
		t.Helper()
		if err := rundir.Prepare(out); err != nil {
			t.Fatal(err)
		}
		return list(t, out)
	}
	if names := prepare(); len(names) != 1 || !strings.HasPrefix(names[0], ".writing-") {
		t.Errorf("while it is written: %q", names)
	}
	if err := command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait() // it was killed
	if names := prepare(); len(names) != 0 {
		t.Errorf("after its writer was killed: %q", names)
	}
	w, err := rundir.Create(out, "run")
	if err != nil {
		t.Fatal(err)
	}
	if names := prepare(); len(names) != 1 {
		t.Errorf("while this process writes: %q", names)
	}
	if err := w.Commit(func(func(rundir.Order) bool) {}, struct{}{}); err != nil {
		t.Fatal(err)
	}
	if names := prepare(); len(names) != 2 { // and latest
		t.Errorf("after the commit: %q", names)
	}
}
