package source

import "io"

// progress counts what is read of an input whose size is known, to estimate how many spans will come: growing step by step
// would copy them several times, and hold two copies at the end.
type progress struct {
	in   io.Reader
	size int64 // in bytes, or 0 when it is not known
	read int64
}

func (p *progress) Read(b []byte) (int, error) {
	n, err := p.in.Read(b)
	p.read += int64(n)
	return n, err
}

// fewSpans are too few for an estimate: much of what was read may not be decoded yet.
const fewSpans = 10_000

// more returns for how many more spans to make room.
func (p *progress) more(spans int) int {
	if spans < fewSpans || p.size <= p.read {
		return max(spans/2, 16)
	}
	left := float64(spans) / float64(p.read) * float64(p.size-p.read)
	return min(int(left*1.03)+fewSpans, 20*spans) // the beginning may tell little of the rest
}
