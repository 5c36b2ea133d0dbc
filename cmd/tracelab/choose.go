package main

import (
	"fmt"
	"strings"

	"tracelab/internal/traceset"
	"tracelab/journey"
	"tracelab/journey/compare"
)

// chooseFlags choose journeys of the inputs.
type chooseFlags struct {
	Root    string   `help:"Only journeys whose root's service and name contain this." placeholder:"TEXT"`
	Where   []string `help:"Only journeys that have a span with this attribute. May be repeated: all must hold." placeholder:"KEY=VALUE" sep:"none"`
	Without []string `help:"Leave these spans out, with all that they caused. May be repeated." placeholder:"SERVICE[/NAME]" sep:"none"`

	IncludeIncomplete bool `help:"Take journeys into the figures, too, of which spans are known to be missing."`
}

// selectors reads --without.
func (f chooseFlags) selectors() ([]journey.Selector, error) {
	var list []journey.Selector
	for _, text := range f.Without {
		selector, err := journey.ParseSelector(text)
		if err != nil {
			return nil, usageError{fmt.Errorf("--without: %w", err)}
		}
		list = append(list, selector)
	}
	return list, nil
}

// words lists what was chosen, nothing when everything was.
func (f chooseFlags) words() []string {
	var list []string
	if f.Root != "" {
		list = append(list, "root "+f.Root)
	}
	for _, w := range f.Where {
		list = append(list, "where "+w)
	}
	for _, w := range f.Without {
		list = append(list, "without "+w)
	}
	if f.IncludeIncomplete {
		list = append(list, "incomplete journeys, too")
	}
	return list
}

// whole returns the journeys of a group that figures are of.
func (f chooseFlags) whole(group compare.Group) (whole compare.Group, left []compare.IncompleteReason) {
	if f.IncludeIncomplete {
		return group, nil
	}
	return group.Whole()
}

// about returns lines for a report that say what was chosen, if anything was.
func (f chooseFlags) about() []string {
	chosen := f
	chosen.IncludeIncomplete = false
	var lines []string
	if list := chosen.words(); len(list) > 0 {
		lines = append(lines, "only journeys with: "+strings.Join(list, ", "))
	}
	if f.IncludeIncomplete {
		lines = append(lines, "incomplete journeys are in the figures")
	}
	return lines
}

// choose returns the group with the chosen journeys. Choosing none of a group that has some is an error.
func (f chooseFlags) choose(group compare.Group) (compare.Group, error) {
	var is []func(*journey.Journey) bool
	if f.Root != "" {
		is = append(is, compare.HasRoot(f.Root))
	}
	for _, w := range f.Where {
		key, value, ok := strings.Cut(w, "=")
		if !ok || key == "" {
			return group, usageError{fmt.Errorf("--where %q: use KEY=VALUE", w)}
		}
		is = append(is, compare.HasAttribute(key, value))
	}
	if b := group.Baseline; b != nil {
		if (len(f.Where)+len(f.Without) > 0 || f.IncludeIncomplete) && strings.Join(f.words(), "; ") != strings.Join(b.Chosen, "; ") {
			return group, usageError{fmt.Errorf("%s is a baseline, of journeys with %q: --where and --without must be those that it was saved with, --include-incomplete likewise", group.Name, b.Chosen)}
		}
		if f.Root != "" {
			group.Baseline = b.KeepRoots(f.Root)
		}
		return group, nil
	}
	kept := group.Keep(is...)
	if len(kept.Journeys) == 0 && len(group.Journeys) > 0 {
		return kept, &traceset.ReadError{Err: fmt.Errorf("none of the %d journeys of %s is chosen by %s", len(group.Journeys), group.Name, strings.Join(f.words(), ", "))}
	}
	return kept, nil
}
