package source

import "sync"

// each calls a function for 0 to n−1, few at a time, and returns when all calls have.
func each(n int, call func(i int)) {
	var all sync.WaitGroup
	next := make(chan int)
	for range min(n, atATime) {
		all.Go(func() {
			for i := range next {
				call(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	all.Wait()
}
