//go:build linux || darwin

// Command kafka runs one real Apache Kafka broker without Docker: Maven fetches the jars once, Java 17 runs them.
//
//	go run ./tools/kafka start [-port N]    # prints the broker's address once it answers; again when it runs already
//	go run ./tools/kafka status
//	go run ./tools/kafka stop               # ends exactly the broker that start began
//
// It is a single KRaft node on 127.0.0.1 that keeps its data between starts. Every command takes -state DIR, the folder of the
// broker's data, settings and log; a folder is one broker. The address goes to standard output, everything else to standard error.
// The exit status is 0 when done, 1 on failure (for status: not running) and 2 for a wrong command line.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

const usage = "usage: kafka start|stop|status [-state DIR] [-timeout D] [-port N]"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the program; it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		_, _ = fmt.Fprintln(stderr, usage)
		return 2
	}
	commands := map[string]func(context.Context, broker, io.Writer, io.Writer) error{"start": start, "stop": stop, "status": status}
	command, known := commands[args[0]]
	if !known {
		_, _ = fmt.Fprintf(stderr, "kafka: unknown command %q\n%s\n", args[0], usage)
		return 2
	}
	b, timeout, err := parseFlags(args[0], args[1:], stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("not within %v (-timeout)", timeout))
	defer cancel()
	if err := command(ctx, b, stdout, stderr); err != nil {
		_, _ = fmt.Fprintf(stderr, "kafka: %v\n", err)
		return 1
	}
	return 0
}

// parseFlags reads the flags of one command; it prints what is wrong itself.
func parseFlags(name string, args []string, stderr io.Writer) (b broker, timeout time.Duration, err error) {
	flags := flag.NewFlagSet("kafka "+name, flag.ContinueOnError)
	flags.SetOutput(stderr)
	state := flags.String("state", "", "`folder` of the broker's data, settings and log (default $XDG_STATE_HOME/tracelab/kafka)")
	flags.DurationVar(&timeout, "timeout", 2*time.Minute, "give up after this `duration`")
	if name == "start" {
		flags.IntVar(&b.port, "port", 9092, "`port` on 127.0.0.1; 0 takes a free one")
	}
	if err := flags.Parse(args); err != nil {
		return broker{}, 0, err
	}
	if flags.NArg() > 0 || b.port < 0 || b.port > 65535 {
		_, _ = fmt.Fprintf(stderr, "kafka: %s takes no arguments, and ports go from 0 to 65535\n%s\n", name, usage)
		return broker{}, 0, errors.New("wrong command line")
	}
	b.dir = *state
	if b.dir == "" {
		b.dir, err = stateFolder()
	} else {
		b.dir, err = filepath.Abs(b.dir)
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "kafka: %v\n", err)
	}
	return b, timeout, err
}

// stateFolder follows the XDG base directory specification, for which the standard library knows only config and cache.
func stateFolder() (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "tracelab", "kafka"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("no home folder to keep the broker in, name one with -state: %w", err)
	}
	return filepath.Join(home, ".local", "state", "tracelab", "kafka"), nil
}
