package lab

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"tracelab/services"
)

// Two medians agree when they differ by no more than a tenth, or by a millisecond.
const agreeShare, agreeMS = 0.1, 1.0

// warmUp places the same few orders again and again, until the median caller waits of two windows agree or the limit of
// windows is reached. A cold process, or a cold broker, makes the first orders slower, and not in all forms alike.
func (r *running) warmUp(ctx context.Context) error {
	if r.WarmUp == 0 {
		r.warm.Why = "there was no warm-up"
		return nil
	}
	r.Progress(Progress{Stage: StageWarmUp})
	r.warm.Why = "one window says nothing of whether it was enough"
	var before map[string]float64
	for r.warm.Windows < r.Windows {
		medians, err := r.warmUpWindow(ctx, fmt.Sprintf("%s-warmup-%d", r.name, r.warm.Windows))
		if err != nil {
			return err
		}
		if r.endedEarly() {
			return errNothingPlaced
		}
		r.warm.Windows++
		apart := disagree(before, medians)
		if before != nil && len(apart) == 0 {
			r.warm.Warm, r.warm.Why = true, "the medians of the last two windows agree"
			return nil
		}
		if before != nil {
			r.warm.Why = fmt.Sprintf("the medians of the last two windows still differ (%s) at the limit of %d windows", strings.Join(apart, ", "), r.Windows)
		}
		before = medians
	}
	return nil
}

// warmUpWindow places one window and returns the median caller wait of each form in milliseconds. It waits until nothing
// of the orders is left on its way.
func (r *running) warmUpWindow(ctx context.Context, run string) (map[string]float64, error) {
	var mu sync.Mutex
	waits := map[string][]float64{}
	_, _, err := r.load(run, r.WarmUp, func(o order) {
		mu.Lock()
		defer mu.Unlock()
		waits[o.Form] = append(waits[o.Form], float64(o.CallerWait)/1e6)
	}).offer(ctx)
	if err != nil {
		return nil, err
	}
	settling, cancel := context.WithTimeout(ctx, r.Deadline)
	defer cancel()
	r.settle(settling, run)
	medians := map[string]float64{}
	for form, list := range waits {
		slices.Sort(list)
		medians[form] = list[(len(list)-1)/2]
	}
	return medians, nil
}

// disagree lists the forms whose medians differ, with both.
func disagree(before, after map[string]float64) (apart []string) {
	for _, form := range sortedKeys(after) {
		was, is := before[form], after[form]
		if math.Abs(is-was) > max(agreeMS, agreeShare*min(was, is)) {
			apart = append(apart, fmt.Sprintf("%s %s and %s ms", form, significant(was), significant(is)))
		}
	}
	return apart
}

// warmUpOrders is how many orders of each form the warm-up had.
func (r *running) warmUpOrders() int { return r.warm.Windows * r.WarmUp }

// experiment is what every order of the run carries, but for its form and number.
func (c Config) experiment() services.Experiment {
	return services.Experiment{Flow: c.Flow.Name, Relation: c.Relation, Seed: c.Seed, Faults: c.Faults}
}
