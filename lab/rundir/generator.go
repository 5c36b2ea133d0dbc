package rundir

// Generator is how well the load of a run was generated.
type Generator struct {
	// Rate is the orders/s that were intended; in a closed loop, those that were placed.
	Rate float64 `json:"rate"`
	// Clients is how many clients placed orders in a closed loop; then nothing below says anything. 0: an open loop.
	Clients     int     `json:"clients,omitempty"`
	StartLagP50 float64 `json:"start_lag_p50_ms"`
	StartLagP99 float64 `json:"start_lag_p99_ms"`
	StartLagMax float64 `json:"start_lag_max_ms"`
	// OnTime is the highest rate at which the generator was seen to start on time: that of the run, or another that was tried
	// after it; 0 when it was late at each.
	OnTime float64 `json:"on_time_rate"`
	Tried  float64 `json:"lowest_rate_tried"`            // when it was late
	LateAt float64 `json:"late_at_rate,omitempty"`       // the lowest rate above OnTime at which it was late; 0 when none was tried
	Higher float64 `json:"highest_rate_tried,omitempty"` // when it was on time
}

// LateStart is the start lag at p99, in milliseconds, above which a latency is the generator's.
const LateStart = 2

// Late tells whether the generator started so late that its latencies are its own.
func (g Generator) Late() bool { return g.StartLagP99 > LateStart }
