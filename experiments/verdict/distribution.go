package verdict

import (
	"math"
	"sort"

	"gonum.org/v1/gonum/mathext"
)

// studentQuantile returns the t beyond which a share of Student's distribution lies, with so many degrees of freedom. It uses the
// incomplete beta function alone, since gonum's distuv would bring the whole of linear algebra into the build.
func studentQuantile(beyond, freedom float64) float64 {
	if beyond >= 0.5 {
		return 0
	}
	x := mathext.InvRegIncBeta(freedom/2, 0.5, 2*beyond)
	if x <= 0 {
		return math.Inf(1)
	}
	return math.Sqrt(freedom * (1 - x) / x)
}

// betaQuantile returns the quantile of a beta distribution; a and b are above 0.
func betaQuantile(a, b, p float64) float64 { return mathext.InvRegIncBeta(a, b, p) }

// binomialAtMost returns P(X ≤ k) of n draws with probability p, which lies between 0 and 1 exclusively.
func binomialAtMost(k, n int, p float64) float64 {
	switch {
	case k < 0:
		return 0
	case k >= n:
		return 1
	}
	return mathext.RegIncBeta(float64(n-k), float64(k+1), 1-p)
}

// lowRank returns how many of n sorted values lie at or below the lower bound of a quantile: the greatest rank that the quantile
// lies under with a probability of at most miss/2. It is 0 when there is none.
func lowRank(n int, quantile, miss float64) int {
	return sort.Search(n, func(k int) bool { return binomialAtMost(k, n, quantile) > miss/2 })
}

// moments returns mean and sample standard deviation.
func moments(values []float64) (mean, deviation float64) {
	n := float64(len(values))
	for _, v := range values {
		mean += v / n
	}
	var squares float64
	for _, v := range values {
		squares += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(squares / (n - 1))
}
