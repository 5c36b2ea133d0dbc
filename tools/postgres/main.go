//go:build linux || darwin

// Command postgres runs one real PostgreSQL without Docker, from Debian's package postgresql.
//
//	go run ./tools/postgres start [-port N] # prints the server's address once it answers; again when it runs already
//	go run ./tools/postgres status
//	go run ./tools/postgres stop               # ends exactly the server that start began
//
// It is a server on 127.0.0.1 that keeps its data between starts. Every command takes -state DIR, the folder of the
// server's data, settings and logs; a folder is one server. The address goes to standard output, everything else to standard error.
// The exit status is 0 when done, 1 on failure (for status: not running) and 2 for a wrong command line.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"tracelab/internal/postgres"
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
		Name: "postgres", Noun: "server", Port: 5432,
		Start: func(ctx context.Context, dir string, port int, log io.Writer) (string, error) {
			p, err := postgres.Server{Dir: dir, Port: port}.Start(ctx, log)
			return p.Address, err
		},
		Status: func(ctx context.Context, dir string, log io.Writer) (string, error) {
			p, err := postgres.Server{Dir: dir}.Status(ctx, log)
			return p.Address, err
		},
		Stop: func(ctx context.Context, dir string, log io.Writer) error {
			return postgres.Server{Dir: dir}.Stop(ctx, log)
		},
	}.Run(ctx, args, stdout, stderr)
}
