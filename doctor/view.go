package doctor

import (
	"context"
	"fmt"
	"strings"
	"time"

	"tracelab/services"
	"tracelab/services/flows"
)

// viewBehind is how far a view may be behind besides the pause between two updates. In a healthy lab it is some milliseconds.
const viewBehind = 2 * time.Second

// checkView looks at how old the data was that the probe order read from a view, where a form of the flow has one.
func (p *parts) checkView(ctx context.Context, w *walk, orders map[services.Form]outcome[*placed]) {
	for _, form := range probedForms(p.config.flow()) {
		view := p.config.flow().ViewOf(form)
		if view == nil {
			continue
		}
		c := check{name: "view-" + string(form), needs: []ended{orders[form].ended}, within: oneAnswer}
		if needsKafka(p.config.flow(), form) {
			c.absent = p.noKafka()
		}
		look(ctx, w, c, func(ctx context.Context) (nothing, string, error) { return p.viewIsFresh(ctx, view) })
	}
}

// viewIsFresh asks for the age of what the probe order read.
func (p *parts) viewIsFresh(ctx context.Context, view *flows.View) (_ nothing, seen string, _ error) {
	entry := p.config.flow().Entry().Service()
	var read services.Staleness
	if err := getJSON(ctx, p.http, trimSlash(p.config.Gateway)+"/runs/"+p.probe.run+"/view", &read); err != nil {
		return nothing{}, "", brokenHop("look at the logs of the gateway and of "+entry, "%s", err.Error())
	}
	if len(read.Ages) == 0 {
		return nothing{}, "", brokenHop("look at the log of "+entry+": is it of this flow?", "the order was completed, and %s has read no view for it", entry)
	}
	pause := time.Duration(float64(time.Second) / view.Updates)
	age, bound := time.Duration(read.Ages[len(read.Ages)-1]), 2*pause+viewBehind
	if age > bound {
		return nothing{}, "", brokenHop(fmt.Sprintf("see in the log of %s whether it takes records from %s%s, and in those of %s whether they can send them", entry, p.config.Prefix, p.config.flow().ViewTopic(), strings.Join(view.From, ", ")),
			"what the order read from the view was %v old, and an update is sent every %v: none came for that long", age.Round(time.Millisecond), pause)
	}
	return nothing{}, fmt.Sprintf("what the order read was %v old, with an update every %v", age.Round(time.Millisecond), pause), nil
}
