package experiments

import (
	"context"
	"errors"
	"time"

	"tracelab/experiments/verdict"
	"tracelab/journey"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// Measures of resources.
const (
	cpuServices = "CPU time of the services"
	cpuBroker   = "CPU time of the broker"
	cpuAll      = "CPU time of all processes"
)

// resources: what an order costs, with the broker and without.
func resources() Claim {
	const delta = 0.5 // ms
	return Claim{
		Name:      "resources",
		Statement: "async uses fewer resources",
		Rule:      "a completed order of kafka costs less CPU time than one of grpc by more than δ, the broker's process included; both are warm",
		Delta:     Amount{delta, "ms an order"}, Budget: 32 * time.Second, Size: Size{Orders: 200, Rate: 80, Seeds: 5}, Kind: Repeated, Needs: Needs{RealBroker: true},
		Signature: Signature{Words: "more spans in kafka than in grpc: a send, a process and a settlement for what is one call there", Seen: func(j *journey.Journey) error {
			if len(j.Messages()) == 0 {
				return errors.New("no message was delivered")
			}
			return nil
		}},
		Measure: func(ctx context.Context, l *Lab) (Figures, error) {
			broker, err := processAt(l.session.Kafka)
			if err != nil {
				return nil, err
			}
			arms := []Arm{{Name: string(services.GRPC), Config: l.Config(flows.Order(), services.GRPC)}, {Name: string(services.Kafka), Config: l.Config(flows.Order(), services.Kafka)}}
			figures := map[string][2][]float64{}
			var shown *Ran
			for seed := range l.size.Seeds { // one after another: the arms take turns, so that nothing that drifts favors one
				for i := range arms {
					arm := arms[(i+seed)%len(arms)]
					config := arm.Config
					config.Seed += uint64(seed) //nolint:gosec // small
					meter := &brokerMeter{process: broker}
					ran, err := l.metered(ctx, config, meter.begin, meter.end)
					if err != nil {
						return nil, err
					}
					used, err := meter.used()
					if err != nil {
						return nil, err
					}
					f := figures[arm.Name]
					f[0] = append(f[0], ran.CPUPerOrder())
					f[1] = append(f[1], milliseconds(used)/float64(config.Orders))
					figures[arm.Name] = f
					if arm.Name == string(services.Kafka) {
						shown = ran
					}
				}
			}
			var f Figures
			for _, arm := range arms {
				both := figures[arm.Name]
				all := make([]float64, len(both[0]))
				for i := range all {
					all[i] = both[0][i] + both[1][i]
				}
				f.PerRun(arm.Name, cpuAll, "ms an order", all)
				f.PerRun(arm.Name, cpuServices, "ms an order", both[0])
				f.PerRun(arm.Name, cpuBroker, "ms an order", both[1])
			}
			return f, l.Show(shown, services.Kafka)
		},
		Decide: func(f Figures) (Decision, error) {
			all, err := f.Difference(cpuAll, "grpc", "kafka")
			without, err2 := f.Difference(cpuServices, "grpc", "kafka")
			return Decision{
				Parts:  []verdict.Part{{Name: "kafka less grpc, ms an order", Estimate: all, Want: verdict.LessThan(-delta)}},
				Beside: []verdict.Part{{Name: "without the broker, ms an order", Estimate: without}},
			}, errors.Join(err, err2)
		},
		Draw:      func(f Figures) Plot { return f.bars("What CPU time does an order take, in all processes?", cpuAll) },
		Alike:     func(c *lab.Config) { carryAs(c, services.Kafka, services.GRPC) },
		Sabotages: []Sabotage{{Name: "grpc is carried by messages", Change: func(c *lab.Config) { carryAs(c, services.GRPC, services.Kafka) }}},
	}
}
