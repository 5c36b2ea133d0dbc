package freeport_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"tracelab/internal/freeport"
)

// askPorts has the name of the file to which TestPortsForAnotherProcess writes ports, in a process that is started for that.
const askPorts = "FREEPORT_TEST_FILE"

// TestPortsForAnotherProcess is what TestProcessesGetDifferentPorts runs.
func TestPortsForAnotherProcess(t *testing.T) {
	file := os.Getenv(askPorts)
	if file == "" {
		return
	}
	var all []string
	for range 40 {
		addresses, err := freeport.InARow(7)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, addresses...)
	}
	if err := os.WriteFile(file, []byte(strings.Join(all, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestProcessesGetDifferentPorts: no port is given twice among several processes, whatever their pids are and though nobody binds what he was given.
func TestProcessesGetDifferentPorts(t *testing.T) {
	ownCounter(t, t.TempDir())
	dir := t.TempDir()
	var group sync.WaitGroup
	files := []string{"a", "b", "c", "d"}
	for _, name := range files {
		group.Go(func() {
			command := exec.Command(os.Args[0], "-test.run=^TestPortsForAnotherProcess$")
			command.Env = append(os.Environ(), askPorts+"="+filepath.Join(dir, name))
			if out, err := command.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	group.Wait()
	given := map[string]string{}
	for _, name := range files {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for address := range strings.SplitSeq(string(text), "\n") {
			if other := given[address]; other != "" {
				t.Errorf("%s was given to %s and %s", address, other, name)
			}
			given[address] = name
		}
	}
	if len(given) != len(files)*280 {
		t.Errorf("%d ports were given, want %d", len(given), len(files)*280)
	}
}

// TestPortsWithoutACounter: where there is no file to count in, or nonsense in it, this process counts alone.
func TestPortsWithoutACounter(t *testing.T) {
	blocked := filepath.Join(t.TempDir(), "file")
	nonsense := t.TempDir()
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(nonsense, "tracelab"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(nonsense, "tracelab", "ports"), []byte("-9\x00nonsense that is longer than a number"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, home := range []string{blocked, nonsense} {
		ownCounter(t, home)
		seen := map[string]bool{}
		for range 20 {
			addresses, err := freeport.InARow(3)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range addresses {
				if seen[a] {
					t.Errorf("%s was given twice", a)
				}
				seen[a] = true
			}
		}
	}
}
