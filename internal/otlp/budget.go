package otlp

import (
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
)

// unknownMemory stands in, in bytes, for the memory of a process that nothing limits.
const unknownMemory = 4 << 30

// DefaultBudget returns how many bytes of spans a process may keep: an eighth of the memory that GOMEMLIMIT or its control
// group allows. A span takes several times its bytes while it is judged.
func DefaultBudget() int64 {
	memory := int64(unknownMemory)
	if limit := debug.SetMemoryLimit(-1); limit < math.MaxInt64 {
		memory = limit
	}
	if text, err := os.ReadFile("/sys/fs/cgroup/memory.max"); err == nil {
		if limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil { // or "max"
			memory = min(memory, limit)
		}
	}
	return memory / 8
}
