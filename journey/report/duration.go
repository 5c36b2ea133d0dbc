package report

import (
	"math"
	"strconv"
)

// Duration writes nanoseconds with three significant digits and a unit: 870 µs, 51.2 ms, 1.24 s.
func Duration(ns int64) string { return duration(float64(ns)) }

// Milliseconds writes milliseconds likewise.
func Milliseconds(ms float64) string { return duration(ms * 1e6) }

func duration(ns float64) string {
	if ns < 0 {
		return "-" + duration(-ns)
	}
	if ns < 0.5 {
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

func percent(part, whole int64) string {
	if whole == 0 {
		return "0 %"
	}
	return strconv.FormatFloat(100*float64(part)/float64(whole), 'f', 1, 64) + " %"
}
