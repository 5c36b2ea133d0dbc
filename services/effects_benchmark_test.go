package services

import (
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
)

// BenchmarkEffects is what idempotent handling adds to a step: the claim, the look for an earlier effect, and its note,
// in memory and in a file, with 32 handlings side by side as a service has them. "repeat" finds an effect.
//
//	go test -run '^$' -bench Effects ./services
func BenchmarkEffects(b *testing.B) {
	file, err := OpenStore(filepath.Join(b.TempDir(), "effects"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = file.Close() })
	for _, c := range []struct {
		name    string
		effects *Store
		repeat  bool
	}{{"memory/first", NewStore(10), false}, {"memory/repeat", NewStore(10), true}, {"file/first", file, false}, {"file/repeat", file, true}} {
		b.Run(c.name, func(b *testing.B) {
			var last atomic.Uint64
			b.SetParallelism(DefaultWorkers / 2)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					n := last.Add(1)
					unit := strconv.FormatUint(n, 36) + b.Name()
					if c.repeat {
						unit = strconv.FormatUint(n%1000, 36)
					}
					claim, err := c.effects.claim(b.Context(), unit, Charge)
					if err != nil {
						b.Error(err)
						return
					}
					if claim.before == 0 {
						_, err = claim.note(b.Context(), n)
					}
					claim.end()
					if err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}
