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
	"io"
	"os"
	"os/signal"
	"syscall"

	"tracelab/internal/broker"
	"tracelab/tools/internal/control"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the program; it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return control.Server{
		Name: "kafka", Noun: "broker", Port: 9092,
		Start: func(ctx context.Context, dir string, port int, log io.Writer) (string, error) {
			p, err := broker.Broker{Dir: dir, Port: port}.Start(ctx, log)
			return p.Address, err
		},
		Status: func(ctx context.Context, dir string, log io.Writer) (string, error) {
			p, err := broker.Broker{Dir: dir}.Status(ctx, log)
			return p.Address, err
		},
		Stop: func(ctx context.Context, dir string, log io.Writer) error {
			return broker.Broker{Dir: dir}.Stop(ctx, log)
		},
	}.Run(ctx, args, stdout, stderr)
}
