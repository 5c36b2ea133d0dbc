package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"

	"tracelab/internal/traceset"
	"tracelab/journey/format"
	"tracelab/services/flows"
)

// flowCommand is `tracelab flow`.
type flowCommand struct {
	List  flowListCommand  `cmd:"" help:"List the flows that the program has."`
	Show  flowShowCommand  `cmd:"" help:"Draw a flow: its steps, and what carries them in each form."`
	Check flowCheckCommand `cmd:"" help:"Tell whether files are flows that can run; if not, where and why."`
	From  flowFromCommand  `cmd:"" help:"Write a flow from traces of any system: what was done in which order, what it took, and what carried it."`
}

// flowListCommand is `tracelab flow list`.
type flowListCommand struct {
	Format string `help:"Of the list: text or json (default ${default})." enum:"text,json" default:"text" placeholder:"NAME"`
}

// Run lists the built-in flows.
func (c *flowListCommand) Run(s *streams) error {
	if c.Format == "json" {
		return writeFlowList(s.out, flows.Builtins())
	}
	const names = 11
	for _, b := range flows.Builtins() {
		for i, line := range format.Wrap(b.What, terminalOf(s.out).Columns()-names) {
			name := ""
			if i == 0 {
				name = b.Name
			}
			if err := s.say("%-*s%s", names, name, line); err != nil {
				return err
			}
		}
	}
	return nil
}

// flowShowCommand is `tracelab flow show`.
type flowShowCommand struct {
	Flow   string `arg:"" help:"A flow by name (order, ride, reaction, profile, activity, chain:N, fan-out:N), or a file that ends in .yaml." placeholder:"NAME|FILE"`
	YAML   bool   `name:"yaml" help:"Print the flow's file, to begin one of your own with."`
	Format string `help:"Of the drawing: text or html (default ${default})." enum:"text,html" default:"text" placeholder:"NAME"`
}

// Run draws a flow.
func (c *flowShowCommand) Run(s *streams) error {
	if c.YAML {
		text, err := flows.LoadSource(c.Flow)
		if err != nil {
			return unreadFlow(err)
		}
		if _, err := s.out.Write(text); err != nil {
			return fmt.Errorf("write the flow: %w", err)
		}
		return nil
	}
	f, err := loadFlow(c.Flow)
	if err != nil {
		return err
	}
	if c.Format == "html" {
		return f.WriteHTML(s.out)
	}
	return f.WriteText(s.out, terminalOf(s.out).Columns())
}

// printsData tells that the flow's file is no text to be put into other signs.
func (c *flowShowCommand) printsData() bool { return c.YAML }

// flowCheckCommand is `tracelab flow check`.
type flowCheckCommand struct {
	Files  []string `arg:"" help:"Files of flows, or names of built-in ones." placeholder:"FILE"`
	Format string   `help:"Of the report: text or json (default ${default})." enum:"text,json" default:"text" placeholder:"NAME"`
}

// Run checks each file and says what is wrong with those that are no flows.
func (c *flowCheckCommand) Run(s *streams) error {
	checked := []checkedFlow{}
	failed := false
	for _, name := range c.Files {
		f, err := flows.Load(name)
		wrong, ok := errors.AsType[*flows.Error](err)
		if err != nil && !ok {
			return unreadFlow(err)
		}
		failed = failed || ok
		one := checkFlow(name, f, wrong)
		checked = append(checked, one)
		if c.Format == "json" {
			continue
		}
		if err := s.wrapped(one.text()); err != nil {
			return err
		}
	}
	if c.Format == "json" {
		if err := writeFlowCheck(s.out, checked); err != nil {
			return err
		}
	}
	if failed {
		return errNotSo
	}
	return nil
}

// wrapped writes lines of a report, each wrapped at the terminal's width and indented from its second line on.
func (s *streams) wrapped(text string) error {
	for line := range strings.SplitSeq(visible(text), "\n") {
		plain := strings.TrimLeft(line, " ")
		indent := line[:len(line)-len(plain)]
		if _, err := io.WriteString(s.out, terminalOf(s.out).Paragraph(indent, indent+"  ", plain)); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	}
	return nil
}

// loadFlow reads the flow that a command line names.
func loadFlow(name string) (*flows.Flow, error) {
	f, err := flows.Load(name)
	return f, unreadFlow(err)
}

// unreadFlow tells a file that cannot be read from one that is no flow, and from a name that there is not.
func unreadFlow(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return &traceset.ReadError{Err: err}
	}
	return usageError{err}
}

func formNames(forms []flows.Form) []string {
	names := make([]string, len(forms))
	for i, form := range forms {
		names[i] = string(form)
	}
	return names
}

// servicesOfFlows lists the services of the built-in flows, for help. It reads the flows once for all parsers of a process.
var servicesOfFlows = sync.OnceValue(func() string {
	var list []string
	for _, b := range flows.Builtins() {
		if f, err := flows.Named(b.Name); err == nil { // chain:N is none without its number
			list = append(list, "Of the flow "+f.Name+": "+strings.Join(f.Services(), ", ")+".")
		}
	}
	return strings.Join(append(list, "Of another: gateway, and those that its steps name (tracelab flow show)."), " ")
})
