// Package control is the command line of the tools that run one real server each: start, status and stop.
package control

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"time"

	"tracelab/internal/parts"
)

// Server is what a tool runs: one process tree in one folder.
type Server struct {
	Name string // of the tool, and of its folder below $XDG_STATE_HOME/tracelab
	Noun string // what the server is called in help texts: broker, node
	Port int    // on 127.0.0.1, unless -port says another

	// Start returns the address once the server answers, again when it runs already; Status returns it, or an error when
	// the server does not run; Stop ends exactly the server that Start began. They write progress to log.
	Start  func(ctx context.Context, dir string, port int, log io.Writer) (address string, err error)
	Status func(ctx context.Context, dir string, log io.Writer) (address string, err error)
	Stop   func(ctx context.Context, dir string, log io.Writer) error
}

// options are what the flags say.
type options struct {
	dir     string
	port    int
	timeout time.Duration
}

// Run does what the arguments say: the address goes to stdout, everything else to stderr. It returns the exit status: 0 when done,
// 1 on failure (for status: not running), 2 for a wrong command line.
func (s Server) Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		_, _ = fmt.Fprintln(stderr, s.usage())
		return 2
	}
	if !slices.Contains([]string{"start", "stop", "status"}, args[0]) {
		_, _ = fmt.Fprintf(stderr, "%s: unknown command %q\n%s\n", s.Name, args[0], s.usage())
		return 2
	}
	o, err := s.parseFlags(args[0], args[1:], stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, fmt.Errorf("not within %v (-timeout)", o.timeout))
	defer cancel()
	var address string
	switch args[0] {
	case "start":
		address, err = s.Start(ctx, o.dir, o.port, stderr)
	case "status":
		address, err = s.Status(ctx, o.dir, stderr)
	default:
		err = s.Stop(ctx, o.dir, stderr)
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "%s: %v\n", s.Name, err)
		return 1
	}
	if address != "" {
		_, _ = fmt.Fprintln(stdout, address)
	}
	return 0
}

func (s Server) usage() string {
	return "usage: " + s.Name + " start|stop|status [-state DIR] [-timeout D] [-port N]"
}

// parseFlags reads the flags of one command. It prints its errors itself.
func (s Server) parseFlags(command string, args []string, stderr io.Writer) (o options, err error) {
	flags := flag.NewFlagSet(s.Name+" "+command, flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.dir, "state", "", fmt.Sprintf("`folder` of the %s's data, settings and logs (default $XDG_STATE_HOME/tracelab/%s)", s.Noun, s.Name))
	flags.DurationVar(&o.timeout, "timeout", 2*time.Minute, "give up after this `duration`")
	if command == "start" {
		flags.IntVar(&o.port, "port", s.Port, "`port` on 127.0.0.1; 0 takes a free one")
	}
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if flags.NArg() > 0 || o.port < 0 || o.port > 65535 {
		_, _ = fmt.Fprintf(stderr, "%s: %s takes no arguments, and ports go from 0 to 65535\n%s\n", s.Name, command, s.usage())
		return options{}, errors.New("wrong command line")
	}
	if o.dir == "" {
		o.dir, err = parts.StateFolder(s.Name)
	} else {
		o.dir, err = filepath.Abs(o.dir)
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "%s: %v\n", s.Name, err)
	}
	return o, err
}
