package simulation

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Reconnect is how a client tries to come back to a server that is away: after waits that grow.
type Reconnect struct {
	First  time.Duration // wait after the first attempt, which is made at once
	Times  float64       // by which each wait is longer than the one before
	Most   time.Duration // of a wait
	Jitter float64       // of every wait but the first, as a share of it, to both sides
}

// reconnectStream keeps the jitter apart from what else a seed draws.
const reconnectStream = 102

// mostReconnects bounds the draws of a mean.
const mostReconnects = 1_000_000

// Late returns for how long the client is still without its server after an outage of a length: the mean of so many draws.
//
// Source: gRPC's connection backoff protocol. Limits: an attempt fails at once, as it does where nobody listens, and one connection is enough.
func (r Reconnect) Late(outage time.Duration, seed uint64, draws int) (time.Duration, error) {
	if r.First <= 0 || r.Most < r.First || r.Times < 1 || r.Jitter < 0 || r.Jitter >= 1 || outage < 0 || draws < 1 || draws > mostReconnects {
		return 0, errors.New("a reconnect needs waits above 0 that do not shrink, a jitter under 1, an outage of at least 0, and 1 to 1,000,000 draws")
	}
	from := stream(seed, reconnectStream)
	sum, attempts := 0.0, 0
	for range draws {
		at, wait := 0.0, r.First.Seconds()
		for n := 0; at < outage.Seconds(); n++ {
			jitter := 1.0
			if n > 0 {
				jitter += r.Jitter * (2*from.Float64() - 1)
			}
			if attempts++; attempts > mostEvents {
				return 0, fmt.Errorf("a client tries more than %d times to come back: make the outage shorter, the waits longer, or draw less often", mostEvents)
			}
			at += wait * jitter
			wait = math.Min(wait*r.Times, r.Most.Seconds())
		}
		sum += at - outage.Seconds()
	}
	return seconds(sum / float64(draws)), nil
}
