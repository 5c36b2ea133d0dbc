package page

import (
	"fmt"
	"math"
	"strings"
	"time"

	"tracelab/lab"
	"tracelab/services"
)

// A chart is drawn in these units; the page scales it.
const (
	chartWidth, chartHeight = 560.0, 220.0
	chartLeft, chartBottom  = 62.0, 22.0
	chartRight, chartTop    = 8.0, 10.0
)

const (
	// chartSpan is the time that a chart shows, gapAfter how long nothing may happen before a line is interrupted.
	chartSpan = 2 * time.Minute
	gapAfter  = 5 * time.Second
	// yTicks is about how many lines of the grid a chart has.
	yTicks = 4
)

// chartView is a measure over time: a line for each form.
type chartView struct {
	Title         string
	Width, Height float64
	Left, Right   float64 // ends of the grid's lines
	Lines         []chartLine
	Y             []chartTick
	X             []chartTick
}

// chartLine is a form's line; D is its path, "" when no two points are near each other.
type chartLine struct {
	Form services.Form
	D    string
	Dash string     // so that lines differ by more than their color
	Dots []chartDot // the points that stand alone: no line leads to them or from them
}

type chartDot struct{ X, Y float64 }

type chartTick struct {
	At   float64
	Text string
}

// dashes are the strokes of the forms, in their order.
func dashes() []string {
	return []string{"", "7 3", "2 3", "9 3 2 3", "4 2", "12 4", "1 4", "6 2 2 2 2 2"}
}

func dashOf(i int) string { return dashes()[i%len(dashes())] }

// chartOf draws a measure of the last two minutes until a time.
func chartOf(title string, forms []lab.LiveForm, now time.Time, of func(lab.LivePoint) *float64) chartView {
	v := chartView{Title: title, Width: chartWidth, Height: chartHeight, Left: chartLeft, Right: chartWidth - chartRight}
	highest := 0.0
	for _, f := range forms {
		for _, p := range f.Points {
			if ms := of(p); ms != nil {
				highest = max(highest, *ms)
			}
		}
	}
	step := niceStep(highest / yTicks)
	top := max(step, step*math.Ceil(highest/step))
	y := func(ms float64) float64 { return chartTop + (1-ms/top)*(chartHeight-chartTop-chartBottom) }
	x := func(at time.Time) float64 {
		return v.Right - float64(now.Sub(at))/float64(chartSpan)*(v.Right-v.Left)
	}
	for i := range int(math.Round(top/step)) + 1 {
		ms := float64(i) * step
		v.Y = append(v.Y, chartTick{y(ms), number(ms) + " ms"})
	}
	v.X = []chartTick{{v.Left, "2 min ago"}, {(v.Left + v.Right) / 2, "1 min ago"}, {v.Right, "now"}}
	for i, f := range forms {
		d, dots := linePath(f.Points, now, of, x, y)
		v.Lines = append(v.Lines, chartLine{f.Form, d, dashOf(i), dots})
	}
	return v
}

// linePath is the path through points that have the measure, interrupted where nothing happened for a while, and the points that stand alone.
func linePath(points []lab.LivePoint, now time.Time, of func(lab.LivePoint) *float64, x func(time.Time) float64, y func(float64) float64) (d string, dots []chartDot) {
	var path, part strings.Builder
	var first chartDot // of the part
	parts := 0         // points of it
	end := func() {
		switch {
		case parts == 1:
			dots = append(dots, first)
		case parts > 1:
			path.WriteString(part.String())
		}
		part.Reset()
		parts = 0
	}
	var last time.Time
	for _, p := range points {
		ms := of(p)
		if ms == nil || now.Sub(p.At) > chartSpan {
			continue
		}
		if p.At.Sub(last) > gapAfter {
			end()
			first = chartDot{x(p.At), y(*ms)}
			fmt.Fprintf(&part, "M%.1f %.1f", first.X, first.Y)
		} else {
			fmt.Fprintf(&part, "L%.1f %.1f", x(p.At), y(*ms))
		}
		parts++
		last = p.At
	}
	end()
	return path.String(), dots
}

// niceStep is the step of a grid: 1, 2 or 5 with zeros, and at least as much.
func niceStep(least float64) float64 {
	if least <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(least)))
	for _, by := range []float64{1, 2, 5} {
		if by*power >= least {
			return by * power
		}
	}
	return 10 * power
}
