package experiments

import (
	"net"
	"os"
	"runtime"
	"strconv"
	"testing"
)

// The process that listens at an address is found, by whose CPU time a broker's share is counted.
func TestTheProcessAtAnAddress(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("/proc is Linux's")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	pid, err := processAt([]string{listener.Addr().String()})
	if err != nil || pid != strconv.Itoa(os.Getpid()) {
		t.Errorf("process %q, %v; want %d", pid, err, os.Getpid())
	}
	if used, err := cpuOf(pid); err != nil || used < 0 {
		t.Errorf("%v, %v of CPU time", used, err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	if pid, err := processAt([]string{listener.Addr().String()}); err == nil {
		t.Errorf("process %s listens at a closed address", pid)
	}
}
