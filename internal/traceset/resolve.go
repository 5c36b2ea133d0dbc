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

// Resolver makes inputs of the names on a command line, and says where to ask for traces that no file has.
type Resolver struct {
	Stdin   io.Reader          // what "-" names
	Jaeger  string             // the base URL, or grpc://host:port; "": files are not completed, and jaeger:TRACEID is at the default one
	Service string             // search that Jaeger for traces of this service, as one more input
	Since   time.Duration      // how far the search for Service looks back
	Limit   int                // how many traces the search for Service returns at most
	By      []string           // ask also for traces with the same value of these attributes
	Without []journey.Selector // leave out these spans, with what they caused
}

func (r *Resolver) options() []journey.Option {
	if r == nil || len(r.Without) == 0 {
		return nil
	}
	return []journey.Option{journey.Without(r.Without...)}
}

// ErrNothingNamed says that a command line names no input.
var ErrNothingNamed = errors.New("name an input: a run directory, a file, -, a trace in a Jaeger; or a service with --service")

// Resolve returns an input for each name (two for a comparison in a Jaeger), and one for the search for a service, if there is one. It
// reads no spans. A name of nothing that exists is a *ReadError.
func (r *Resolver) Resolve(names []string) ([]Input, error) {
	var inputs []Input
	for _, name := range names {
		some, err := r.resolve(name)
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, some...)
	}
	if search, ok := r.searched(time.Now()); ok {
		inputs = append(inputs, search)
	}
	if len(inputs) == 0 {
		return nil, ErrNothingNamed
	}
	return inputs, nil
}

// StandsBesideError reports a run directory beside another input: one of its forms must be named.
type StandsBesideError struct{ Run Run }

// Error names a form to choose.
func (e *StandsBesideError) Error() string {
	return fmt.Sprintf("%s: a run directory stands beside something else: say which form of it, such as %s", e.Run.Dir, filepath.Join(e.Run.Dir, e.Run.Forms[0]))
}

// Join makes one set of inputs. It fails with a *StandsBesideError for a whole run beside another input.
func (r *Resolver) Join(inputs []Input) (Input, error) {
	if len(inputs) == 1 {
		return inputs[0], nil
	}
	for _, in := range inputs {
		if run, ok := in.(Run); ok {
			return nil, &StandsBesideError{run}
		}
	}
	return Joined{Parts: inputs, options: r.options()}, nil
}

func (r *Resolver) resolve(name string) ([]Input, error) {
	if name == "-" {
		return []Input{File{r, name}}, nil
	}
	if strings.HasPrefix(name, kafkaScheme) {
		address, err := parseKafkaAddress(name, time.Now())
		return []Input{Summaries{name, address}}, err
	}
	if sides, err := r.address(name, time.Now()); err == nil || !errors.Is(err, jaeger.ErrNoAddress) {
		return sides, err
	}
	run, ok, err := rundir.Open(name)
	if err != nil {
		return nil, unread(err)
	}
	if ok {
		return []Input{Run{run, r.options()}}, nil
	}
	run, ok, damage := rundir.Open(filepath.Dir(name))
	if ok && !strings.Contains(filepath.Base(name), ".") {
		form, err := Run{run, r.options()}.Form(filepath.Base(name))
		return []Input{form}, err
	}
	info, err := os.Stat(name)
	switch {
	case err == nil && info.IsDir():
		return r.folder(name)
	case err == nil:
		return r.file(name)
	case isPattern(name):
		return r.pattern(name)
	case strings.Contains(name, ","):
		return r.joined(name, strings.Split(name, ","))
	}
	if damage != nil && filepath.Dir(name) != "." { // of the run that a form is named of
		return nil, unread(damage)
	}
	return nil, unread(fmt.Errorf("%s: no run directory, no form of one (RUN/grpc), no file: %w", name, errors.Unwrap(err)))
}
