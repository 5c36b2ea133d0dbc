package derive

import "time"

// Waits by which the lateness of timers is measured: of lengths that steps have, and of no whole number of milliseconds.
const (
	lateWaits    = 40
	shortestWait = 1300 * time.Microsecond
	longerBy     = 130 * time.Microsecond // each than the one before
)

// TimerLateness measures how late timers of this process end, as the median of some that it waits for, which takes about 150 ms. A run's steps wait
// by timers: one that is told to wait as long as a step was seen to take would take longer by this.
func TimerLateness() time.Duration {
	late := make([]float64, lateWaits)
	for i := range late {
		wait := shortestWait + time.Duration(i)*longerBy
		began := time.Now()
		timer := time.NewTimer(wait)
		<-timer.C
		late[i] = float64(max(0, time.Since(began)-wait))
	}
	return time.Duration(median(late))
}
