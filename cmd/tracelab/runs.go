package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"tracelab/lab/rundir"
)

// runsCommand is `tracelab runs`.
type runsCommand struct {
	List  runsListCommand  `cmd:"" help:"List the run directories, the newest first."`
	Prune runsPruneCommand `cmd:"" help:"Remove run directories but the newest, or the youngest, and nothing that is no run directory."`
}

// runsFolder is the folder of run directories.
type runsFolder struct {
	Out string `help:"Where run directories are (default ${default})." default:"runs" placeholder:"DIR"`
}

// runsListCommand is `tracelab runs list`.
type runsListCommand struct {
	runsFolder
	Format string `help:"Of the list: text or json (default ${default})." enum:"text,json" default:"text" placeholder:"NAME"`
}

// listedRun is a run in the list's JSON.
type listedRun struct {
	Run    string    `json:"run"`
	Began  time.Time `json:"began"`
	Bytes  int64     `json:"bytes"`
	Flow   string    `json:"flow"`
	Forms  []string  `json:"forms"`
	Seed   uint64    `json:"seed"`
	Broker string    `json:"broker"`
	Faults []string  `json:"faults"`
}

// Run lists the run directories.
func (c *runsListCommand) Run(s *streams) error {
	runs, others, err := rundir.List(c.Out)
	if err != nil {
		return err
	}
	if c.Format == "json" {
		return c.writeJSON(s, runs)
	}
	if err := c.writeText(s, runs); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if len(runs) == 0 {
		s.talk("no run in %s", c.Out)
	}
	talkOfOthers(s, c.Out, others)
	return nil
}

// writeText writes a line for each run, which a terminal that is too narrow for it shows as several.
func (c *runsListCommand) writeText(s *streams, runs []rundir.Entry) error {
	var columns strings.Builder
	t := tabwriter.NewWriter(&columns, 0, 0, 2, ' ', 0)
	for _, r := range runs {
		_, _ = fmt.Fprintf(t, "%s\t%s ago\t%s\t\n", r.Name, ageText(time.Since(r.Began)), byteText(r.Bytes)) // no error comes from memory
	}
	_ = t.Flush()
	style := terminalOf(s.out)
	i := 0
	for line := range strings.Lines(columns.String()) {
		r := runs[i]
		i++
		what := fmt.Sprintf("%s: %s", r.Flow, strings.Join(r.Forms, ", "))
		if len(r.Faults) > 0 {
			what += "; faults " + strings.Join(r.Faults, " ")
		}
		if _, err := io.WriteString(s.out, style.Line(strings.TrimSuffix(line, "\n"), "    ", what)); err != nil {
			return err
		}
	}
	return nil
}

func (c *runsListCommand) writeJSON(s *streams, runs []rundir.Entry) error {
	list := []listedRun{}
	for _, r := range runs {
		list = append(list, listedRun{r.Name, r.Began, r.Bytes, r.Flow, append([]string{}, r.Forms...), r.Seed, r.Broker, append([]string{}, r.Faults...)})
	}
	encoder := json.NewEncoder(s.out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(struct {
		Schema string      `json:"schema"`
		Runs   []listedRun `json:"runs"`
	}{"tracelab.runs/v1", list})
}

// runsPruneCommand is `tracelab runs prune`.
type runsPruneCommand struct {
	runsFolder
	Keep    *int  `env:"TRACELAB_RUNS_KEEP" help:"Keep the newest of them, so many." placeholder:"N"`
	Younger *span `env:"TRACELAB_RUNS_YOUNGER" help:"Keep those that are younger than this, such as 7d or 12h. With --keep, what either says is kept." placeholder:"DURATION"`
	DryRun  bool  `help:"Say what would be removed, and remove nothing."`
}

// Run removes run directories, and says which.
func (c *runsPruneCommand) Run(s *streams) error {
	switch {
	case c.Keep == nil && c.Younger == nil:
		return usageError{errors.New("say what stays: --keep N for the newest, --younger DURATION for the youngest")}
	case c.Keep != nil && *c.Keep < 0:
		return usageError{fmt.Errorf("--keep %d: use a number from 0 on", *c.Keep)}
	}
	runs, others, err := rundir.List(c.Out)
	if err != nil {
		return err
	}
	var going []rundir.Entry
	for i, r := range runs {
		newest := c.Keep != nil && i < *c.Keep
		young := c.Younger != nil && time.Since(r.Began) < time.Duration(*c.Younger)
		if !newest && !young {
			going = append(going, r)
		}
	}
	verb := "removed"
	if c.DryRun {
		verb = "would be removed"
	} else if err := rundir.Remove(c.Out, going...); err != nil {
		return err
	}
	bytes := int64(0)
	for _, r := range going {
		bytes += r.Bytes
		if err := s.say("%s  %s", r.Name, verb); err != nil {
			return err
		}
	}
	talkOfOthers(s, c.Out, others)
	return s.say("%d of %s in %s %s, %s", len(going), count(len(runs), "run"), c.Out, verb, byteText(bytes))
}

// talkOfOthers says what is left alone, and why.
func talkOfOthers(s *streams, out string, others []rundir.Other) {
	for _, o := range others {
		s.talk("%s/%s is left alone: %s", out, o.Name, o.Why)
	}
}

// span is a duration that may count days.
type span time.Duration

// UnmarshalText reads 7d, 12h or 1d12h.
func (d *span) UnmarshalText(text []byte) error {
	const day = 24 * time.Hour
	all := time.Duration(0)
	rest := string(text)
	if days, more, ok := strings.Cut(rest, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil || n < 0 || n > int(100*365) {
			return fmt.Errorf("%q: use a duration such as 7d or 12h", text)
		}
		all, rest = time.Duration(n)*day, more
	}
	if rest != "" || all == 0 {
		more, err := time.ParseDuration(rest)
		if err != nil || more < 0 {
			return fmt.Errorf("%q: use a duration such as 7d or 12h", text)
		}
		all += more
	}
	*d = span(all)
	return nil
}

// ageText writes an age in its largest unit.
func ageText(age time.Duration) string {
	switch {
	case age < time.Minute:
		return fmt.Sprintf("%d s", int(age.Seconds()))
	case age < time.Hour:
		return fmt.Sprintf("%d min", int(age.Minutes()))
	case age < 48*time.Hour:
		return fmt.Sprintf("%d h", int(age.Hours()))
	}
	return fmt.Sprintf("%d days", int(age.Hours()/24))
}

// byteText writes a size with its unit.
func byteText(bytes int64) string {
	switch {
	case bytes < 1000:
		return fmt.Sprintf("%d B", bytes)
	case bytes < 1e6:
		return fmt.Sprintf("%.1f kB", float64(bytes)/1e3)
	case bytes < 1e9:
		return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(bytes)/1e9)
}
