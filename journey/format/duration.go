package format

import (
	"math"
	"strconv"
	"time"
)

// Duration writes a duration with three significant digits and a unit: 870 µs, 51.2 ms, 1.24 s.
func Duration(d time.Duration) string { return Nanoseconds(float64(d)) }

// Milliseconds writes milliseconds as Duration does.
func Milliseconds(ms float64) string { return Nanoseconds(ms * 1e6) }

// Nanoseconds writes nanoseconds as Duration does, and NaN as a dash.
func Nanoseconds(ns float64) string {
	switch {
	case math.IsNaN(ns):
		return "–"
	case math.IsInf(ns, 1):
		return "∞"
	case ns < 0:
		return "-" + Nanoseconds(-ns)
	case ns < 0.5:
		return "0 s"
	}
	units := []string{" ns", " µs", " ms", " s"}
	u := 0
	for u < len(units)-1 && ns >= 999.5 { // 999.5 would be written with four digits
		ns /= 1000
		u++
	}
	digits := 0
	if u > 0 {
		digits = max(0, 2-int(math.Floor(math.Log10(ns))))
		if math.Round(ns*math.Pow10(digits)) >= 1000 && digits > 0 { // 9.996 is 10.0
			digits--
		}
	}
	return strconv.FormatFloat(ns, 'f', min(digits, 2), 64) + units[u]
}
