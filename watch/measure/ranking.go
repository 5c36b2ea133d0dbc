package measure

// Limits of a ranking.
const (
	maxCandidates = 1024 // values without a place that are counted
	leastToTake   = 100  // how often a value must have come to take a place
	timesToTake   = 2    // and how many times as often as the value whose place it takes
)

// ranking keeps the most frequent values and calls all others "other". The first values take the free places. A later value takes the place of the
// least frequent one when it has come twice as often. Each place changes hands at most once on average: series that end and start again and again
// are of no use, and there are never more than twice as many names as places. The result depends on the order of the values only.
type ranking struct {
	places     int
	named      map[string]int // how often it came
	candidates map[string]int
	retired    map[string]bool
}

func newRanking(places int) *ranking {
	return &ranking{places: places, named: map[string]int{}, candidates: map[string]int{}, retired: map[string]bool{}}
}

// name counts a value, and returns it or other.
func (r *ranking) name(value string) string {
	if n, ok := r.named[value]; ok {
		r.named[value] = n + 1
		return value
	}
	if len(r.named) < r.places {
		r.named[value] = 1
		return value
	}
	if r.retired[value] || len(r.retired) >= r.places {
		return other
	}
	n, known := r.candidates[value]
	if !known && len(r.candidates) >= maxCandidates {
		return other
	}
	n++
	r.candidates[value] = n
	if n < leastToTake {
		return other
	}
	least := r.least()
	if n < timesToTake*r.named[least] {
		return other
	}
	delete(r.named, least)
	delete(r.candidates, value)
	r.retired[least], r.named[value] = true, n
	return value
}

// least returns the named value that came least often; of several, the last by its bytes.
func (r *ranking) least() string {
	least, first := "", true
	for value, n := range r.named {
		if first || n < r.named[least] || n == r.named[least] && value > least {
			least, first = value, false
		}
	}
	return least
}
