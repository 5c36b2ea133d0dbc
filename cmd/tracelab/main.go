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
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"tracelab/internal/traceset"
	"tracelab/internal/vocabulary"
	"tracelab/journey/source/jaeger"
	"tracelab/lab"
	"tracelab/lab/rundir"
	"tracelab/services"
)

// Exit statuses: done; the report found something wrong, or the command could not be done; the command line is wrong; an input could not
// be read, so that there is no report.
const (
	exitDone   = 0
	exitNotSo  = 1
	exitUsage  = 2
	exitUnread = 3
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	status := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// commands is the command line.
type commands struct {
	Up      upCommand      `cmd:"" help:"Start the lab with a web page: place orders, change what they meet, and look at their journeys."`
	Run     runCommand     `cmd:"" help:"The main job: place the same orders in every form, and compare."`
	Compare compareCommand `cmd:"" help:"Compare trace sets: run directories, one form of a run (RUN/grpc), files of OTLP or Jaeger traces, traces in a Jaeger."`
	Journey journeyCommand `cmd:"" help:"Show one order: its tree over all traces, both paths, its messages and their queue waits."`
	Hops    hopsCommand    `cmd:"" help:"Place one order and follow it hop by hop, as it goes: who calls or tells whom, by what, and what crosses the hop."`
	Predict predictCommand `cmd:"" help:"Predict what the same journeys would take if messages took some of their calls, or calls their messages."`
	Lint    lintCommand    `cmd:"" help:"Check traces against the rules of propagation and of the conventions, and say what to do."`
	Claims  claimsCommand  `cmd:"" help:"Judge sentences that people repeat about calls and messages, each by an experiment; without a name, list them."`
	Receive receiveCommand `cmd:"" help:"Take OTLP from services of your own and write a file that journey, compare and lint read."`
	Watch   watchCommand   `cmd:"" help:"Judge a stream of spans out of Kafka: each journey's summary goes to a topic. Start as many as you need."`
	Flow    flowCommand    `cmd:"" help:"List, draw and check flows: what is done in which order, and what carries it."`
	Redrive redriveCommand `cmd:"" help:"Send dead letters back to the topic that they came from."`
	Serve   serveCommand   `cmd:"" help:"Run one or more services, or all, until told to stop."`
	Doctor  doctorCommand  `cmd:"" help:"Find the first broken hop between a service and a person's screen, and say how to mend it; or wait until every part is healthy."`
	Runs    runsCommand    `cmd:"" help:"List run directories, and remove old ones."`

	Help       helpCommand       `cmd:"" help:"Show what a command does, its flags and examples, as COMMAND --help does."`
	Schema     schemaCommand     `cmd:"" help:"Print the JSON Schema of what a command prints with --format json, or of a file; without a name, list them."`
	Man        manCommand        `cmd:"" help:"Print the manual page, for man."`
	Completion completionCommand `cmd:"" help:"Print the script that lets a shell complete commands, flags, values and file names."`
	Complete   completeCommand   `cmd:"" name:"__complete" hidden:"" help:"List what may stand at the end of a command line, for the scripts of completion."`

	Version  kong.VersionFlag `help:"Print the version." short:"v" env:"-"`
	LogLevel slog.Level       `help:"Log from this level on, to standard error: debug, info, warn, error (default ${default})." default:"warn" placeholder:"LEVEL"`
}

// streams are where a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
	log      *slog.Logger
	answered bool // by --help or --version
}

// talk writes a line beside the report, to standard error. An error is ignored: there is no other place to report it.
func (s *streams) talk(format string, args ...any) { _, _ = fmt.Fprintf(s.err, format+"\n", args...) }

// say writes a line of the report.
func (s *streams) say(format string, args ...any) error {
	if _, err := fmt.Fprintf(s.out, format+"\n", args...); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// usageError reports a command line that makes no sense.
type usageError struct{ error }

// Unwrap returns the error inside.
func (e usageError) Unwrap() error { return e.error }

// errNotSo ends a command whose report already says that something is wrong.
var errNotSo = errors.New("not so")

// run is the program.
func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	s := &streams{in: in, out: &screenWriter{to: out}, err: &screenWriter{to: errOut}}
	if asciiLocale(os.Getenv) {
		s.out, s.err = &screenWriter{to: &asciiWriter{to: out}}, &screenWriter{to: &asciiWriter{to: errOut}}
	}
	if err := checkText(args, os.Environ()); err != nil {
		return s.exit(err)
	}
	var cli commands
	parser, err := s.parser(&cli)
	if err != nil {
		return s.exit(err)
	}
	parsed, err := parser.Parse(args)
	if s.answered {
		return exitDone // whatever else was on the line, or missing from it
	}
	if err != nil {
		return s.exit(usageError{err})
	}
	if printsData(parsed) {
		s.out = out
	}
	s.log = slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: cli.LogLevel}))
	parsed.BindTo(ctx, (*context.Context)(nil))
	if readsOnly(parsed) {
		return s.exit(untilInterrupted(ctx, func() error { return parsed.Run(s) }))
	}
	return s.exit(parsed.Run(s))
}

// parser returns the parser of the command line, which puts what it reads into cli. Kong would look through each text of each flag by a regular expression,
// which takes most of the time that a short command needs: it does not see the commands while it does so, and their variables are filled in here.
func (s *streams) parser(cli *commands) (*kong.Kong, error) {
	var unseen []*kong.Node
	parser, err := kong.New(cli,
		kong.Name("tracelab"),
		kong.Description("One business flow over calls and messages, every hop traced, every trace judged."),
		kong.Writers(s.out, s.err),
		kong.DefaultEnvars("TRACELAB"),
		kong.WithBeforeResolve(s.withoutForeignFormat),
		kong.Vars{"version": version()}, // which kong prints by itself
		kong.PostBuild(withExamples),
		kong.PostBuild(func(k *kong.Kong) error {
			unseen, k.Model.Children = k.Model.Children, nil
			return nil
		}),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Exit(func(int) { s.answered = true }),
	)
	if err != nil {
		return nil, fmt.Errorf("make the command line's parser: %w", err)
	}
	parser.Model.Children = unseen
	return parser, fillIn(parser.Model.Node)
}

// fillIn does what kong does with the texts of flags and arguments: ${default}, and what the code knows.
func fillIn(root *kong.Node) error {
	known := strings.NewReplacer("${jaeger}", jaeger.DefaultBase, "${number}", services.KeyNumber, "${services}", servicesOfFlows(),
		"${faults}", strings.Join(services.FaultKinds(), "; "), "${events}", strings.Join(lab.EventKinds(), "; "), "${links}", strings.Join(lab.LinkKinds(), "; "))
	return kong.Visit(root, func(node kong.Visitable, next kong.Next) error {
		if value, ok := node.(*kong.Value); ok {
			value.Default = known.Replace(value.Default)
			value.Help = strings.ReplaceAll(known.Replace(value.Help), "${default}", value.Default)
			if value.Flag != nil {
				value.Flag.Envs = value.Tag.Envs
			}
		}
		return next(nil)
	})
}

// exit prints an error, if there is one, and returns the exit status.
func (s *streams) exit(err error) int {
	_, badConfig := errors.AsType[*lab.ConfigError](err)
	_, badUsage := errors.AsType[usageError](err)
	_, badWord := errors.AsType[*vocabulary.UnknownError](err)
	_, badForm := errors.AsType[*rundir.UnknownFormError](err)
	_, unread := errors.AsType[*traceset.ReadError](err)
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errNotSo): // the report says it
		return exitNotSo
	case badConfig || badUsage || badWord || badForm:
		s.talk("tracelab: %s%s", visible(err.Error()), suggestion(err))
		return exitUsage
	case unread:
		s.talk("tracelab: %s%s", visible(err.Error()), suggestion(err))
		return exitUnread
	default:
		s.talk("tracelab: %s%s", visible(err.Error()), suggestion(err))
		return exitNotSo
	}
}
