//go:build linux || darwin

// Command stack runs the real stack without Docker: the parts of compose.yaml as processes, from the same configuration files.
//
//	go run ./tools/stack start [-free-ports]   # Kafka, RabbitMQ, Collector, Jaeger, Prometheus, the seven services; prints where they are
//	go run ./tools/stack status                # each part's health, memory and uptime; fails when one is not well
//	go run ./tools/stack env                   # where they are, as KEY=VALUE lines for tracelab
//	go run ./tools/stack stop                  # ends exactly what start began
//
// RabbitMQ is Debian's: without its package, or with RABBITMQ= in the environment, there is none. STORE names the PostgreSQL (.env says how).
// With -watch the Collector writes all traces to Kafka, too, and a watcher judges their journeys.
// start beside a stack of which some parts have ended starts those again. Every command takes -state DIR, the folder of logs and process ids, else
// the environment variable TRACELAB_STACK; a folder is one stack. start and env print KEY=VALUE lines to standard output, status its table;
// everything else goes to standard error. The exit status is 0 when done, 1 on failure and 2 for a wrong command line.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"tracelab/internal/parts"
	"tracelab/internal/stack"
)

// stateVariable names the folder for all commands, and so for all tasks.
const stateVariable = "TRACELAB_STACK"

const usage = "usage: stack start|status|env|stop [-state DIR] [-free-ports] [-watch]"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the program; it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	commands := map[string]func(context.Context, stack.Options, io.Writer) error{"start": start, "status": status, "env": env, "stop": stop}
	if len(args) == 0 || commands[args[0]] == nil {
		_, _ = fmt.Fprintln(stderr, usage)
		return 2
	}
	options, err := parseFlags(args[0], args[1:], stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2
	}
	if options.Root, err = parts.Root(); err == nil {
		err = commands[args[0]](ctx, options, stdout)
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "stack: %v\n", err)
		return 1
	}
	return 0
}

// parseFlags reads the flags of one command. It prints its errors itself.
func parseFlags(name string, args []string, stderr io.Writer) (o stack.Options, err error) {
	flags := flag.NewFlagSet("stack "+name, flag.ContinueOnError)
	flags.SetOutput(stderr)
	state := flags.String("state", os.Getenv(stateVariable), "`folder` of logs and process ids, else $"+stateVariable+" (default $XDG_STATE_HOME/tracelab/stack)")
	if name == "start" {
		flags.BoolVar(&o.FreePorts, "free-ports", false, "take any free ports instead of those in .env")
		flags.BoolVar(&o.Watch, "watch", false, "let the Collector write to Kafka, too, and a watcher judge what it writes")
	}
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		_, _ = fmt.Fprintf(stderr, "stack: %s takes no arguments\n%s\n", name, usage)
		return o, errors.New("wrong command line")
	}
	o.Progress = stderr
	if o.State = *state; o.State == "" {
		o.State, err = parts.StateFolder("stack")
	} else {
		o.State, err = filepath.Abs(o.State)
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "stack: %v\n", err)
	}
	return o, err
}

// start starts the stack, and says at the end what a person does next.
func start(ctx context.Context, o stack.Options, stdout io.Writer) error {
	began := time.Now()
	state, err := stack.Start(ctx, o)
	switch {
	case errors.Is(err, stack.ErrRuns):
		_, _ = fmt.Fprintf(o.Progress, "the stack of %s runs already\n", o.State)
	case err != nil:
		return err
	default:
		_, _ = fmt.Fprintf(o.Progress, "all healthy in %s\n", time.Since(began).Round(100*time.Millisecond))
	}
	_, _ = io.WriteString(o.Progress, next(state, o.State))
	return printEnv(state, stdout)
}

// next says what a person does with a stack that runs. Its tasks name the folder when it is not the one that they take by themselves.
func next(state stack.State, folder string) string {
	at, task := state.Addresses, "task"
	if usual, err := parts.StateFolder("stack"); err != nil || folder != usual {
		task = fmt.Sprintf("%s='%s' task", stateVariable, strings.ReplaceAll(folder, "'", `'\''`))
	}
	return fmt.Sprintf(`
look at traces: %s
place orders:   %s stack:run
what is broken: %s stack:doctor
what ended:     %s stack starts it again
end it:         %s stack:stop

`, at["TRACELAB_JAEGER"], task, task, task, task)
}

// env prints the addresses of a stack that runs, or of which at least one part does: the rest is for the doctor to name.
func env(ctx context.Context, o stack.Options, stdout io.Writer) error {
	state, report, err := stack.Report(ctx, o)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(report, func(s stack.Status) bool { return s.Runs }) {
		return fmt.Errorf("no stack runs in %s: `task stack` starts one", o.State)
	}
	return printEnv(state, stdout)
}

func printEnv(state stack.State, w io.Writer) error {
	for _, key := range slices.Sorted(maps.Keys(state.Addresses)) {
		if _, err := fmt.Fprintf(w, "%s=%s\n", key, state.Addresses[key]); err != nil {
			return err
		}
	}
	return nil
}

// status prints the parts. It returns an error when nothing runs, or a part is not healthy.
func status(ctx context.Context, o stack.Options, stdout io.Writer) error {
	_, report, err := stack.Report(ctx, o)
	if err != nil {
		return err
	}
	if len(report) == 0 {
		return fmt.Errorf("nothing runs (%s)", o.State)
	}
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "part\tpid\thealthy after\tup\tmemory\tlog") // a tabwriter keeps its errors for Flush
	var total int64
	var trouble []error
	for _, s := range report {
		up, memory := "-", "-"
		if s.Runs {
			up, memory = s.Uptime.Round(time.Second).String(), fmt.Sprintf("%d MB", s.RSS/1e6)
			total += s.RSS
		}
		_, _ = fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\t%s\n", s.Name, s.PID, s.Took.Round(10*time.Millisecond), up, memory, s.Log)
		if s.Trouble != "" {
			trouble = append(trouble, fmt.Errorf("%s %s", s.Name, s.Trouble))
		}
	}
	_, _ = fmt.Fprintf(table, "together\t\t\t\t%d MB\t\n", total/1e6)
	return errors.Join(append(trouble, table.Flush())...)
}

// stop ends the stack.
func stop(ctx context.Context, o stack.Options, _ io.Writer) error { return stack.Stop(ctx, o) }
