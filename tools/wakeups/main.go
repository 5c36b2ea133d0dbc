// Command wakeups measures how late this machine wakes a process that only sleeps. Run beside a loaded lab it gives the least start lag
// that any generator can have there: what the kernel's scheduler alone makes late.
//
//	go run ./tools/wakeups -rate 400 -for 8s
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"time"
)

// most is how many wakeups are kept: 16 MB of them.
const most = 2_000_000

func main() {
	rate := flag.Float64("rate", 400, "wakeups a second")
	length := flag.Duration("for", 8*time.Second, "how long to measure")
	flag.Parse()
	n := *rate * length.Seconds()
	if !(n >= 1 && n <= most) { // not a number, too
		fmt.Fprintf(os.Stderr, "wakeups: %g a second for %s are not 1 to %d wakeups\n", *rate, *length, most)
		os.Exit(2)
	}
	late := lateness(int(n), time.Duration(float64(time.Second) / *rate))
	at := func(q float64) time.Duration {
		return late[min(len(late)-1, int(q*float64(len(late))))].Round(time.Microsecond)
	}
	if _, err := fmt.Fprintf(os.Stdout, "%d wakeups, late by %v (p50), %v (p99), %v (max)\n", len(late), at(0.5), at(0.99), at(1)); err != nil {
		os.Exit(1)
	}
}

// lateness sleeps until each of n intended times and returns, sorted, how much later each sleep ended.
func lateness(n int, apart time.Duration) []time.Duration {
	late := make([]time.Duration, 0, n)
	begin := time.Now()
	for i := range n {
		intended := begin.Add(time.Duration(i+1) * apart)
		time.Sleep(time.Until(intended))
		late = append(late, time.Since(intended))
	}
	slices.Sort(late)
	return late
}
