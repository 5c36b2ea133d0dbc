//go:build linux || darwin

// Command rabbitmq runs one real RabbitMQ node without Docker, from Debian's package rabbitmq-server.
//
//	go run ./tools/rabbitmq start [-port N] # prints the node's address once it answers; again when it runs already
//	go run ./tools/rabbitmq status
//	go run ./tools/rabbitmq stop               # ends exactly the node that start began
//
// It is a node without plugins on 127.0.0.1 that keeps its data between starts. Every command takes -state DIR, the folder of the
// node's data, settings and logs; a folder is one node. The address goes to standard output, everything else to standard error.
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

	"tracelab/internal/parts"
	"tracelab/internal/rabbitmq"
)

const usage = "usage: rabbitmq start|stop|status [-state DIR] [-timeout D] [-port N]"

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
		_, _ = fmt.Fprintf(stderr, "rabbitmq: unknown command %q\n%s\n", args[0], usage)
		return 2
	}
	n, timeout, err := parseFlags(args[0], args[1:], stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("not within %v (-timeout)", timeout))
	defer cancel()
	var p rabbitmq.Process
	switch args[0] {
	case "start":
		p, err = n.Start(ctx, stderr)
	case "status":
		p, err = n.Status(ctx, stderr)
	default:
		err = n.Stop(ctx, stderr)
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "rabbitmq: %v\n", err)
		return 1
	}
	if p.Address != "" {
		_, _ = fmt.Fprintln(stdout, p.Address)
	}
	return 0
}

// parseFlags reads the flags of one command; it prints what is wrong itself.
func parseFlags(name string, args []string, stderr io.Writer) (n rabbitmq.Node, timeout time.Duration, err error) {
	flags := flag.NewFlagSet("rabbitmq "+name, flag.ContinueOnError)
	flags.SetOutput(stderr)
	state := flags.String("state", "", "`folder` of the node's data, settings and logs (default $XDG_STATE_HOME/tracelab/rabbitmq)")
	flags.DurationVar(&timeout, "timeout", 2*time.Minute, "give up after this `duration`")
	if name == "start" {
		flags.IntVar(&n.Port, "port", 5672, "`port` on 127.0.0.1; 0 takes a free one")
	}
	if err := flags.Parse(args); err != nil {
		return rabbitmq.Node{}, 0, err
	}
	if flags.NArg() > 0 || n.Port < 0 || n.Port > 65535 {
		_, _ = fmt.Fprintf(stderr, "rabbitmq: %s takes no arguments, and ports go from 0 to 65535\n%s\n", name, usage)
		return rabbitmq.Node{}, 0, errors.New("wrong command line")
	}
	n.Dir = *state
	if n.Dir == "" {
		n.Dir, err = parts.StateFolder("rabbitmq")
	} else {
		n.Dir, err = filepath.Abs(n.Dir)
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "rabbitmq: %v\n", err)
	}
	return n, timeout, err
}
