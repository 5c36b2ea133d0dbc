package lab

import (
	"bufio"
	"os"
	"runtime"
	"strings"

	"tracelab/lab/rundir"
)

// thisMachine describes the machine that the process runs on.
func thisMachine() rundir.Machine {
	return rundir.Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, CPU: cpuModel("/proc/cpuinfo"), Cores: runtime.GOMAXPROCS(0)}
}

// cpuModel is the processor's name as Linux has it, or "".
func cpuModel(file string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }() // nothing was written
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
