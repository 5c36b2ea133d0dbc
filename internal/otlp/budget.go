package otlp

import "tracelab/internal/memory"

// unlimitedMemory stands in, in bytes, for the memory of a process that nothing limits, on a machine that has as much.
const unlimitedMemory = 4 << 30

// DefaultBudget returns how many bytes of spans a process may keep: an eighth of the memory that GOMEMLIMIT or its control
// group allows, or of 4 GiB, or of what the machine has. A span takes several times its bytes while it is judged.
func DefaultBudget() int64 {
	limit := memory.Limit()
	if limit == 0 {
		limit = unlimitedMemory
		if has := memory.OfMachine(); has > 0 {
			limit = min(limit, has)
		}
	}
	return limit / 8
}
