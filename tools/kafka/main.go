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
	"slices"
	"syscall"
	"time"

	"tracelab/internal/broker"
	"tracelab/internal/parts"
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
	if !slices.Contains([]string{"start", "stop", "status"}, args[0]) {
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
	var p broker.Process
	switch args[0] {
	case "start":
		p, err = b.Start(ctx, stderr)
	case "status":
		p, err = b.Status(ctx, stderr)
	default:
		err = b.Stop(ctx, stderr)
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "kafka: %v\n", err)
		return 1
	}
	if p.Address != "" {
		_, _ = fmt.Fprintln(stdout, p.Address)
	}
	return 0
}

// parseFlags reads the flags of one command. It prints its errors itself.
func parseFlags(name string, args []string, stderr io.Writer) (b broker.Broker, timeout time.Duration, err error) {
	flags := flag.NewFlagSet("kafka "+name, flag.ContinueOnError)
	flags.SetOutput(stderr)
	state := flags.String("state", "", "`folder` of the broker's data, settings and log (default $XDG_STATE_HOME/tracelab/kafka)")
	flags.DurationVar(&timeout, "timeout", 2*time.Minute, "give up after this `duration`")
	if name == "start" {
		flags.IntVar(&b.Port, "port", 9092, "`port` on 127.0.0.1; 0 takes a free one")
	}
	if err := flags.Parse(args); err != nil {
		return broker.Broker{}, 0, err
	}
	if flags.NArg() > 0 || b.Port < 0 || b.Port > 65535 {
		_, _ = fmt.Fprintf(stderr, "kafka: %s takes no arguments, and ports go from 0 to 65535\n%s\n", name, usage)
		return broker.Broker{}, 0, errors.New("wrong command line")
	}
	b.Dir = *state
	if b.Dir == "" {
		b.Dir, err = parts.StateFolder("kafka")
	} else {
		b.Dir, err = filepath.Abs(b.Dir)
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "kafka: %v\n", err)
	}
	return b, timeout, err
}
