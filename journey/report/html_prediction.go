package report

import (
	"fmt"
	"io"
	"strconv"

	"tracelab/journey/compare"
	"tracelab/journey/format"
)

// predictionPage is what prediction.tmpl shows.
type predictionPage struct {
	Title     string
	About     []string
	Turned    [][3]string // hop, how many, what became of it
	Parts     []predictionPart
	Checked   bool
	Constants []constantRow
	Warnings  []string
}

// WriteHTML writes the prediction as one HTML page that needs nothing else: what was turned, the figures measured and
// predicted, what the constants are and where they come from, and what the prediction does not know.
func (r Prediction) WriteHTML(w io.Writer) error {
	n := len(r.Of.Journeys)
	parts := r.parts()
	page := predictionPage{
		Title: format.Escape(titled(fmt.Sprintf("Prediction: %d %s by other carriers%s", n, plural("journey", n), r.leftOut()), r.From)), About: escaped(r.About),
		Parts: parts[:min(len(parts), maxRootParts)], Checked: r.Check != nil, Constants: r.constants(), Warnings: r.warnings(),
	}
	if more := len(parts) - maxRootParts; more > 0 {
		page.Warnings = append(page.Warnings, fmt.Sprintf("%d more roots are in JSON only", more))
	}
	for _, t := range r.Of.Turned {
		page.Turned = append(page.Turned, [3]string{format.Escape(t.Hop), fmt.Sprint(t.N), turnedWords(t)})
	}
	return writePage(w, "prediction.tmpl", page)
}

// predictionPicture shows the medians of a measure as bars on one axis.
type predictionPicture struct {
	Name   string
	Height int
	Bars   []predictionBar
}

// predictionBar is a median with its interval, in shares of the picture's width.
type predictionBar struct {
	Name, Text, Width, From, Band string
	TextY, Y, BandY               int
}

// predictionLane is the height of a bar with its name, in pixels.
const predictionLane = 40

func (p predictionPart) pictures() []predictionPicture {
	var list []predictionPicture
	for _, row := range p.Rows[:2] { // the tail is what lies between these
		list = append(list, predictionPicture{Name: row.Measure})
	}
	longest := 0.0
	for _, c := range p.columns {
		for _, s := range []*compare.Summary{c.of.CallerWait, c.of.Completion} {
			if s != nil && s.Median != nil {
				longest = max(longest, *s.Median)
				if s.High != nil {
					longest = max(longest, *s.High)
				}
			}
		}
	}
	for n := range list {
		for k, c := range p.columns {
			s := []*compare.Summary{c.of.CallerWait, c.of.Completion}[n]
			if s == nil || s.Median == nil || longest <= 0 {
				continue
			}
			y := k * predictionLane
			bar := predictionBar{Name: c.name, Text: format.Milliseconds(*s.Median), Width: share(*s.Median, longest), TextY: y + 14, Y: y + 20, BandY: y + 34}
			if s.Low != nil && s.High != nil {
				bar.From, bar.Band = share(*s.Low, longest), share(*s.High-*s.Low, longest)
			}
			list[n].Bars = append(list[n].Bars, bar)
		}
		list[n].Height = predictionLane * len(p.columns)
	}
	return list
}

// share writes a part of the picture's width.
func share(part, whole float64) string { return strconv.FormatFloat(100*part/whole, 'f', 2, 64) + "%" }
