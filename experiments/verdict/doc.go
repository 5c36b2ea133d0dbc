// Package verdict turns figures into one of four words: a sentence holds, does not hold, is not shown, or the experiment is not
// valid.
//
//	added, err := verdict.PairedRuns(calm, slow) // mean of each run, paired by seed
//	v := verdict.Judge(gates, verdict.Part{Name: "added wait, ms", Estimate: added, Want: verdict.MoreThan(20)})
//	fmt.Println(v.Word, v.Why())
//
// An Estimate knows its interval at any confidence, hence what would settle a sentence that is not shown, and what a correction over
// many sentences leaves of it. Which estimate fits depends on what is independent of what:
//
//	Runs, PairedRuns, UnpairedRuns   where orders wait in one queue: the run is the unit
//	Bootstrap, PairedMedian          in calm weather, where orders do not meet
//	Quantile, UnpairedQuantile       where orders fail: a failure is the longest wait, +Inf
//	Share, ShareDifference           counts of orders that are independent; exact
//	Exact                            what is counted in full, or so by definition
//
// Package journey/compare has intervals, too, of 95 % and for finite values. A ledger needs other levels, and an experiment with
// failures has infinite waits, so the intervals here are their own; the tests hold that both agree where both apply.
package verdict
