package main

import "fmt"

// expectEmpty names the panels that have no data in a healthy stack, with the reason.
var expectEmpty = map[string]string{
	"Alerts that fire":           "no alert fires",
	"Decisions of tail sampling": "only a collector with COLLECTOR_SAMPLING=tail-sampling decides",
}

// drawn is what the page says it has drawn.
type drawn struct {
	Broken string // an error of the page
	Panels []struct {
		Title string
		Error string
		Empty bool     // no number in it
		Cut   []string // what is not shown whole
	}
}

// complaints returns what a person would miss on the dashboard.
func (d drawn) complaints() []string {
	var found []string
	if d.Broken != "" {
		found = append(found, "the page broke: "+d.Broken)
	} else if len(d.Panels) == 0 {
		found = append(found, "no panel was drawn")
	}
	for _, p := range d.Panels {
		switch {
		case p.Error != "":
			found = append(found, fmt.Sprintf("%q: %s", p.Title, p.Error))
		case p.Empty && expectEmpty[p.Title] == "":
			found = append(found, fmt.Sprintf("%q: no data", p.Title))
		}
		for _, cut := range p.Cut {
			found = append(found, fmt.Sprintf("%q: %s", p.Title, cut))
		}
	}
	return found
}
