//go:build linux || darwin

package stack

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
)

// plan is compose.yaml in terms of this machine.
type plan struct {
	steps     []step
	leftOut   map[string]string // the service, and its image
	addresses map[string]string // what `tracelab run` is told in compose, as environment variables; and the brokers' as KAFKA_ADDR and RABBITMQ_ADDR, as tests want them
}

// step is a process to start, or a one-shot to run.
type step struct {
	name    string
	image   string
	path    string // the program, once it is found
	args    []string
	env     []string
	health  string // a URL; empty for one-shots, for what listens nowhere, and for servers without a page for Prometheus
	address string // of a server
	metrics string // of its page for Prometheus; empty without one
	once    bool
	grace   time.Duration
	files   map[string]string // files to write before it starts: path, content
	folders []string          // folders to make before it starts
}

// runService is the service that places orders in compose. Here a person does, so only its addresses are used.
const runService = "run"

// watchProfile is compose's, of the watchers.
const watchProfile = "watch"

func makePlan(project *types.Project, book *addressBook, l layout) (plan, error) {
	order, err := inOrder(project)
	if err != nil {
		return plan{}, err
	}
	p := plan{leftOut: map[string]string{}}
	for _, service := range order {
		_, program := programs[imageName(service)]
		if _, server := servers[service.Name]; !program && !server {
			p.leftOut[service.Name] = service.Image
		}
	}
	for _, service := range order {
		if _, left := p.leftOut[service.Name]; left {
			continue
		}
		s, err := p.step(service, book, l)
		if err != nil {
			return plan{}, fmt.Errorf("compose.yaml: %s: %w", service.Name, err)
		}
		if service.Name == runService {
			p.addresses = addressesOf(s.env)
			continue
		}
		p.steps = append(p.steps, s)
	}
	if p.addresses == nil {
		return plan{}, errors.New("compose.yaml: there is no service run, whose environment says where everything is")
	}
	for _, broker := range []string{"KAFKA", "RABBITMQ"} { // run has none: the services know their own
		p.addresses[broker+"_ADDR"] = p.variable("TRACELAB_" + broker)
	}
	return p, nil
}

// variable returns what the steps are told under that name; "" when none is.
func (p plan) variable(name string) string {
	for _, s := range p.steps {
		for _, variable := range s.env {
			if value, ok := strings.CutPrefix(variable, name+"="); ok && value != "" {
				return value
			}
		}
	}
	return ""
}

// step translates one service.
func (p plan) step(service types.ServiceConfig, book *addressBook, l layout) (step, error) {
	s := step{name: service.Name, image: imageName(service), once: isOneShot(service), files: map[string]string{}}
	if service.StopGracePeriod != nil {
		s.grace = time.Duration(*service.StopGracePeriod)
	}
	var err error
	if _, ok := servers[s.name]; ok {
		return s, s.listen(service, book)
	}
	paths, err := s.mounts(service, book, l)
	if err != nil {
		return s, err
	}
	translate := func(text string) (string, error) {
		text, err := book.translate(service.Name, text)
		return paths.Replace(text), err
	}
	for _, arg := range service.Command {
		translated, err := translate(arg)
		if err != nil {
			return s, err
		}
		s.args = append(s.args, translated)
	}
	if err := s.environment(service, p.leftOut, book, translate); err != nil {
		return s, err
	}
	if !s.once && len(service.Ports) > 0 {
		s.health, err = healthURL(service, book)
	}
	return s, err
}

// metricsPort is where a RabbitMQ has its page for Prometheus in a container: rabbitmq_prometheus's own port.
const metricsPort = 15692

// listen finds a server's addresses: one port is for clients; where it has a page for Prometheus, that tells of its health.
func (s *step) listen(service types.ServiceConfig, book *addressBook) error {
	for _, port := range service.Ports {
		at, err := book.of(service.Name, port.Target)
		if err != nil {
			return err
		}
		if port.Target == metricsPort {
			s.metrics, s.health = at, "http://"+at+"/metrics"
		} else {
			s.address = at
		}
	}
	return nil
}

// environment translates the service's variables. It empties one that names a part that is left out, as compose does without
// the profile full.
func (s *step) environment(service types.ServiceConfig, leftOut map[string]string, book *addressBook, translate func(string) (string, error)) error {
	for _, key := range slices.Sorted(maps.Keys(service.Environment)) {
		if service.Environment[key] == nil {
			continue // passed through from the shell: that happens anyway
		}
		value := *service.Environment[key]
		port, noPort := strconv.ParseUint(value, 10, 16)
		var err error
		switch {
		case slices.ContainsFunc(book.mentions(value), func(name string) bool { return leftOut[name] != "" }):
			value = ""
		case value == "0.0.0.0":
			value = "127.0.0.1"
		case strings.HasSuffix(key, "_PORT") && noPort == nil:
			var address string
			address, err = book.of(service.Name, uint32(port))
			value = address[strings.LastIndexByte(address, ':')+1:]
		default:
			value, err = translate(value)
		}
		if err != nil {
			return err
		}
		s.env = append(s.env, key+"="+value)
	}
	return nil
}

// mounts returns a replacer from the paths inside of the container to those on this machine. Prometheus's files are copied with
// other addresses, all of them, as they name each other.
func (s *step) mounts(service types.ServiceConfig, book *addressBook, l layout) (*strings.Replacer, error) {
	var pairs []string
	rendered := false
	for _, mount := range service.Volumes {
		here := mount.Source
		if mount.Type == types.VolumeTypeVolume {
			here = l.volume(mount.Source)
			s.folders = append(s.folders, here)
		} else if service.Name == "prometheus" { // the one whose file knows no environment variables
			text, err := os.ReadFile(mount.Source)
			if err != nil {
				return nil, err
			}
			translated, err := book.translate(service.Name, book.fixTargets(string(text)))
			if err != nil {
				return nil, err
			}
			here = filepath.Join(l.files(service.Name), filepath.Base(mount.Target))
			s.files[here] = translated
			rendered = true
		} else if _, err := os.Stat(mount.Source); err != nil {
			return nil, err
		}
		pairs = append(pairs, mount.Target, here)
	}
	if rendered {
		s.folders = append(s.folders, l.files(service.Name))
	}
	return strings.NewReplacer(pairs...), nil
}

// healthURL returns the URL of the program's health: at its health port, or at the lowest one that is published.
func healthURL(service types.ServiceConfig, book *addressBook) (string, error) {
	about := programs[imageName(service)]
	port := about.health
	if port == 0 && len(service.Ports) > 0 {
		port = slices.MinFunc(service.Ports, func(a, b types.ServicePortConfig) int { return cmp.Compare(a.Target, b.Target) }).Target
	}
	address, err := book.of(service.Name, port)
	return "http://" + address + about.path, err
}

// addressesOf keeps the variables that say where something is.
func addressesOf(env []string) map[string]string {
	addresses := map[string]string{}
	for _, variable := range env {
		key, value, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(key, "TRACELAB_") && strings.Contains(value, ":") {
			addresses[key] = value
		}
	}
	return addresses
}
