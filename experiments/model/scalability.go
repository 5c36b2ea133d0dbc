package model

import (
	"errors"
	"fmt"
	"math"
)

// Scalability is the universal scalability law: the throughput of n workers is Rate·n/(1 + Contention·(n−1) + Coherency·n·(n−1)).
type Scalability struct {
	Rate       float64 // of one worker, per second
	Contention float64 // the serial share: 0 and more
	Coherency  float64 // the cost of keeping workers consistent: 0 and more
}

// Throughput returns the rate of n workers.
//
// Source: Gunther, Guerrilla Capacity Planning, 2007, chapter 4. Limits: it describes measurements and explains nothing, so it extrapolates badly
// beyond the n that it was fitted to.
func (s Scalability) Throughput(n float64) (float64, error) {
	err := errors.Join(positive("the number of workers", n), positive("the rate of one", s.Rate),
		notNegative("the contention", s.Contention), notNegative("the coherency", s.Coherency))
	if err != nil {
		return 0, err
	}
	return s.Rate * n / (1 + s.Contention*(n-1) + s.Coherency*n*(n-1)), nil
}

// FitScalability fits the law to measured throughputs at numbers of workers by least squares, with the relative residuals of
// n/throughput, which is linear in the parameters. A parameter that would come out below 0 is held at 0.
//
// Source: Gunther 2007, chapter 5. Limits: at least 3 different numbers of workers, since there are 3 parameters.
func FitScalability(workers, throughputs []float64) (Scalability, error) {
	if err := checkFit(workers, throughputs); err != nil {
		return Scalability{}, err
	}
	best, least := Scalability{}, math.Inf(1)
	for _, use := range [][3]bool{{true, true, true}, {true, true, false}, {true, false, true}, {true, false, false}} {
		s, squares, ok := fit(workers, throughputs, use)
		if ok && s.Rate > 0 && s.Contention >= 0 && s.Coherency >= 0 && squares < least {
			best, least = s, squares
		}
	}
	if math.IsInf(least, 1) {
		return Scalability{}, errors.New("no law with a positive rate fits: are these throughputs?")
	}
	return best, nil
}

func checkFit(workers, throughputs []float64) error {
	if len(workers) != len(throughputs) {
		return fmt.Errorf("%d numbers of workers and %d throughputs: one each is needed", len(workers), len(throughputs))
	}
	different := map[float64]bool{}
	for i := range workers {
		if err := errors.Join(positive("the number of workers", workers[i]), positive("the throughput", throughputs[i])); err != nil {
			return err
		}
		different[workers[i]] = true
	}
	if len(different) < 3 {
		return fmt.Errorf("%d different numbers of workers: at least 3 are needed for 3 parameters", len(different))
	}
	return nil
}

// fit solves the normal equations of least squares for y = n/throughput = a + b·(n−1) + c·n(n−1), with weights 1/y², for the parameters in use.
func fit(workers, throughputs []float64, use [3]bool) (s Scalability, squares float64, ok bool) {
	var m [3][4]float64
	for i, n := range workers {
		y := n / throughputs[i]
		x := [3]float64{1 / y, (n - 1) / y, n * (n - 1) / y}
		for r := range 3 {
			for c := range 3 {
				if use[r] && use[c] {
					m[r][c] += x[r] * x[c]
				}
			}
			if use[r] {
				m[r][3] += x[r]
			}
		}
	}
	for r := range 3 {
		if !use[r] {
			m[r][r] = 1
		}
	}
	p, ok := solve(m)
	if !ok || p[0] == 0 {
		return Scalability{}, 0, false
	}
	for i, n := range workers {
		residual := (p[0]+p[1]*(n-1)+p[2]*n*(n-1))*throughputs[i]/n - 1
		squares += residual * residual
	}
	return Scalability{Rate: 1 / p[0], Contention: p[1] / p[0], Coherency: p[2] / p[0]}, squares, true
}

// solve solves three linear equations by elimination with pivots; false when they have no single solution.
func solve(m [3][4]float64) (x [3]float64, ok bool) {
	for c := range 3 {
		pivot := c
		for r := c + 1; r < 3; r++ {
			if math.Abs(m[r][c]) > math.Abs(m[pivot][c]) {
				pivot = r
			}
		}
		m[c], m[pivot] = m[pivot], m[c]
		if math.Abs(m[c][c]) < 1e-300 {
			return x, false
		}
		for r := range 3 {
			if r == c {
				continue
			}
			f := m[r][c] / m[c][c]
			for k := c; k < 4; k++ {
				m[r][k] -= f * m[c][k]
			}
		}
	}
	for i := range 3 {
		x[i] = m[i][3] / m[i][i]
	}
	return x, true
}
