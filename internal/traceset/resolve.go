package traceset

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tracelab/journey"
	"tracelab/journey/source/jaeger"
	"tracelab/lab/rundir"
)

// Asker says where traces are asked for that no file has.
type Asker struct {
	Stdin   io.Reader          // what "-" names
	Jaeger  string             // the base URL, or grpc://host:port; "": files are not completed, and jaeger:TRACEID is at the default one
	Service string             // search that Jaeger for traces of this service, as one more input
	Since   time.Duration      // of Service: how far to look back
	Limit   int                // of Service: how many traces at the most
	By      []string           // ask also for traces with the same value of these attributes
	Without []journey.Selector // spans that are left out with what they caused
}

func (a *Asker) options() []journey.Option {
	if a == nil || len(a.Without) == 0 {
		return nil
	}
	return []journey.Option{journey.Without(a.Without...)}
}

// ErrNothingNamed says that a command line names no input.
var ErrNothingNamed = errors.New("name an input: a run directory, a file, -, a trace in a Jaeger; or a service with --service")

// Resolve finds out what the names are: an input each, or two for a comparison in a Jaeger; and the search for a service. It reads no
// spans. A name that is nothing is a ReadError.
func (a *Asker) Resolve(names []string) ([]Input, error) {
	var inputs []Input
	for _, name := range names {
		some, err := a.resolve(name)
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, some...)
	}
	if search, ok := a.searched(time.Now()); ok {
		inputs = append(inputs, search)
	}
	if len(inputs) == 0 {
		return nil, ErrNothingNamed
	}
	return inputs, nil
}

// StandsBesideError is a run directory beside another input where one of its forms is meant.
type StandsBesideError struct{ Run Run }

// Error says which form could be meant.
func (e *StandsBesideError) Error() string {
	return fmt.Sprintf("%s: a run directory stands beside something else: say which form of it, such as %s", e.Run.Dir, filepath.Join(e.Run.Dir, e.Run.Forms[0]))
}

// Join makes one set of inputs. It fails with a StandsBesideError for a whole run beside another input.
func (a *Asker) Join(inputs []Input) (Input, error) {
	if len(inputs) == 1 {
		return inputs[0], nil
	}
	for _, in := range inputs {
		if run, ok := in.(Run); ok {
			return nil, &StandsBesideError{run}
		}
	}
	return Joined{Parts: inputs, options: a.options()}, nil
}

func (a *Asker) resolve(name string) ([]Input, error) {
	if name == "-" {
		return []Input{File{a, name}}, nil
	}
	if sides, err := a.address(name, time.Now()); err == nil || !errors.Is(err, jaeger.ErrNoAddress) {
		return sides, err
	}
	run, ok, err := rundir.Open(name)
	if err != nil {
		return nil, unread(err)
	}
	if ok {
		return []Input{Run{run, a.options()}}, nil
	}
	if run, ok, err = rundir.Open(filepath.Dir(name)); err == nil && ok && !strings.Contains(filepath.Base(name), ".") {
		form, err := Run{run, a.options()}.Form(filepath.Base(name))
		return []Input{form}, err
	}
	info, err := os.Stat(name)
	switch {
	case err == nil && info.IsDir():
		return a.folder(name)
	case err == nil:
		return a.file(name)
	case strings.ContainsAny(name, "*?["):
		return a.pattern(name)
	case strings.Contains(name, ","):
		return a.joined(name, strings.Split(name, ","))
	}
	return nil, unread(fmt.Errorf("%s: no run directory, no form of one (RUN/grpc), no file: %w", name, errors.Unwrap(err)))
}
