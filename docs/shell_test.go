package docs_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	"tracelab/internal/testkit"
	"tracelab/internal/tutorial"
)

// pageLimit is how long the commands of a page may take together.
const pageLimit = 3 * time.Minute

// limited returns a context for the commands of a page, which ends with the test.
func limited(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), pageLimit)
	t.Cleanup(cancel)
	return ctx
}

// newShell starts a shell for the commands of a page, as a person would have who installed the program. The pages name ports that another program
// may have taken, so the shell has a network of its own. Where the system does not allow that, it waits until the ports are free.
func newShell(t *testing.T, dir string) *tutorial.Shell {
	t.Helper()
	ctx := limited(t)
	if !alone {
		testkit.Await(t, "the ports of the pages are free", time.Minute, func(context.Context) error { return portsAreFree() })
		shell, err := tutorial.NewShell(ctx, dir, environment(t))
		return closed(t, shell, err)
	}
	shell, err := tutorial.NewShellAlone(ctx, dir, environment(t))
	return closed(t, shell, err)
}

// closed closes a shell that has been started when the test ends.
func closed(t *testing.T, shell *tutorial.Shell, err error) *tutorial.Shell {
	t.Helper()
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

// together lets a test of pages run beside others, where each has its own network.
func together(t *testing.T) {
	t.Helper()
	if alone && !*update {
		t.Parallel()
	}
}

// canBeAlone reports whether the system allows shells with a network of their own.
func canBeAlone(ctx context.Context, dir string) bool {
	shell, err := tutorial.NewShellAlone(ctx, dir, os.Environ())
	return err == nil && shell.Close() == nil
}

// portsAreFree returns an error that names a port of the pages that a program has taken.
func portsAreFree() error {
	ports := []int{4317, 4318, 24317, 24318}
	for i := range 10 { // an address for each service
		ports = append(ports, 18080+i, 19080+i)
	}
	for _, port := range ports {
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			return fmt.Errorf("port %d, which pages name, is taken: %w", port, err)
		}
		if err := listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			return err
		}
	}
	return nil
}

// TestPagesRunWherePortsAreTaken has a port of the pages.
func TestPagesRunWherePortsAreTaken(t *testing.T) {
	if !alone {
		t.Skip("no network of its own here: pages wait until their ports are free")
	}
	if listener, err := net.Listen("tcp", "127.0.0.1:18080"); err == nil {
		t.Cleanup(func() { _ = listener.Close() }) // the test is over
	} // else another has it, which does as well
	shell := newShell(t, t.TempDir())
	printed, _, err := shell.Run("curl -s http://127.0.0.1:18080/; echo $?")
	if err != nil || printed != "7\n" {
		t.Errorf("%q, %v, want status 7 of curl: nobody listens", printed, err)
	}
}
