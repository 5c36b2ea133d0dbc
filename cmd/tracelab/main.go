// Command tracelab runs one business flow over calls and messages, traces every hop, and judges the traces.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"

	"tracelab/lab"
)

// Exit statuses: done; the thing asked about is not so, or could not be done; the command line is wrong.
const (
	exitDone  = 0
	exitNotSo = 1
	exitUsage = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// commands is the command line.
type commands struct {
	Run      runCommand       `cmd:"" help:"The main job: place the same orders in every form, and compare."`
	Compare  compareCommand   `cmd:"" help:"Compare trace sets: run directories, one form of a run (RUN/grpc), OTLP/JSON files, - for standard input."`
	Journey  journeyCommand   `cmd:"" help:"Show one order: its tree over all traces, both paths, its messages and their queue waits."`
	Serve    serveCommand     `cmd:"" help:"Run one or more services, or all, until told to stop."`
	Version  kong.VersionFlag `help:"Print the version." short:"v"`
	LogLevel slog.Level       `help:"Log from this level on, to standard error: debug, info, warn, error." default:"warn" placeholder:"LEVEL"`
}

// streams are where a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
	log      *slog.Logger
}

// usageError is a command line that makes no sense.
type usageError struct{ error }

// Unwrap is the error inside.
func (e usageError) Unwrap() error { return e.error }

// errNotSo ends a command whose report says that something is not as it should be.
var errNotSo = errors.New("not so")

// exited is what kong wants to exit with after --help or --version.
type exited int

// run is the program.
func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) (status int) {
	defer func() {
		if p := recover(); p != nil {
			code, ok := p.(exited)
			if !ok {
				panic(p)
			}
			status = int(code)
		}
	}()
	var cli commands
	parser, err := kong.New(&cli,
		kong.Name("tracelab"),
		kong.Description("One business flow over calls and messages, every hop traced, every trace judged."),
		kong.Writers(out, errOut),
		kong.DefaultEnvars("TRACELAB"),
		kong.Vars{"version": version()},
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		// kong exits in the middle of parsing; there is no other way out of it.
		kong.Exit(func(code int) { panic(exited(code)) }),
	)
	if err != nil {
		return complain(errOut, err)
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return complain(errOut, usageError{err})
	}
	handler := slog.NewTextHandler(errOut, &slog.HandlerOptions{Level: cli.LogLevel})
	parsed.BindTo(ctx, (*context.Context)(nil))
	return complain(errOut, parsed.Run(&streams{in: in, out: out, err: errOut, log: slog.New(handler)}))
}

// complain prints an error and says how the program exits.
func complain(errOut io.Writer, err error) int {
	_, badConfig := errors.AsType[*lab.ConfigError](err)
	_, badUsage := errors.AsType[usageError](err)
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errNotSo): // the report has said it
		return exitNotSo
	case badConfig || badUsage:
		fmt.Fprintf(errOut, "tracelab: %v%s\n", err, suggestion(err))
		return exitUsage
	default:
		fmt.Fprintf(errOut, "tracelab: %v\n", err)
		return exitNotSo
	}
}

// version is the module's, or the commit's.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			return setting.Value[:min(12, len(setting.Value))]
		}
	}
	return info.Main.Version
}
