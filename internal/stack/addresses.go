//go:build linux || darwin

package stack

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/compose-spec/compose-go/v2/types"

	"tracelab/internal/freeport"
)

// addressBook turns the addresses inside of compose's network into addresses of this machine. A port that compose publishes keeps its
// published number; any other gets a free one, as two containers may use the same.
type addressBook struct {
	service map[string]string // by host name in the network: the service
	free    []string          // addresses not given out yet
	given   map[endpoint]string
	pattern *regexp.Regexp
}

// endpoint is a port inside of a container.
type endpoint struct {
	service string
	port    uint32
}

// at returns the key of a port in given. Kafka's ports are all one: clients inside and outside of the network are the same here.
func at(service string, port uint32) endpoint {
	if service == kafka {
		port = 0
	}
	return endpoint{service, port}
}

// freePorts is how many ports are found for those that compose does not publish.
const freePorts = 64

// newAddressBook gives an address to every published port of the project, a free one if all are to be free.
func newAddressBook(project *types.Project, allFree bool) (*addressBook, error) {
	free, err := freeport.InARow(freePorts)
	if err != nil {
		return nil, err
	}
	b := &addressBook{service: map[string]string{}, free: free, given: map[endpoint]string{}}
	for name, service := range project.Services {
		b.service[name] = name
		for _, network := range service.Networks {
			if network != nil {
				for _, alias := range network.Aliases {
					b.service[alias] = name
				}
			}
		}
		for _, port := range service.Ports {
			if !allFree {
				b.given[at(name, port.Target)] = net.JoinHostPort("127.0.0.1", port.Published)
			}
		}
	}
	names := slices.SortedFunc(maps.Keys(b.service), func(x, y string) int { return len(y) - len(x) }) // jaeger.localhost before jaeger
	for i, name := range names {
		names[i] = regexp.QuoteMeta(name)
	}
	b.pattern = regexp.MustCompile(`(^|[^\w.-])(` + strings.Join(names, "|") + `|0\.0\.0\.0):(\d{2,5})\b`)
	return b, nil
}

// of returns the address of a port inside of a service's container.
func (b *addressBook) of(service string, port uint32) (string, error) {
	e := at(service, port)
	if address, ok := b.given[e]; ok {
		return address, nil
	}
	if len(b.free) == 0 {
		return "", fmt.Errorf("compose.yaml needs more than %d ports besides those it publishes: raise freePorts", freePorts)
	}
	b.given[e] = b.free[0]
	b.free = b.free[1:]
	return b.given[e], nil
}

// translate replaces every host:port in a text that belongs to a service. 0.0.0.0 stands for own, the service whose text it is.
func (b *addressBook) translate(own, text string) (string, error) {
	var failed error
	translated := b.pattern.ReplaceAllStringFunc(text, func(match string) string {
		parts := b.pattern.FindStringSubmatch(match)
		service := b.service[parts[2]]
		if parts[2] == "0.0.0.0" {
			service = own
		}
		port, err := strconv.ParseUint(parts[3], 10, 16)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", match, err))
			return match
		}
		address, err := b.of(service, uint32(port))
		failed = errors.Join(failed, err)
		return parts[1] + address
	})
	return translated, failed
}

// discovered is a list of targets that Prometheus finds by the name of a container, for as long as it runs.
var discovered = regexp.MustCompile(`dns_sd_configs: \[\{names: \[([\w.-]+)\], type: A, port: (\d+)\}\]`)

// fixTargets replaces what Prometheus would find by a name in compose's network: here no name server knows it. A service that is not there has no target.
func (b *addressBook) fixTargets(text string) string {
	return discovered.ReplaceAllStringFunc(text, func(match string) string {
		parts := discovered.FindStringSubmatch(match)
		if _, there := b.service[parts[1]]; !there {
			return "static_configs: []"
		}
		return fmt.Sprintf(`static_configs: [{targets: ["%s:%s"]}]`, parts[1], parts[2])
	})
}

// mentions returns the services whose host names are in a text.
func (b *addressBook) mentions(text string) []string {
	var services []string
	for _, match := range b.pattern.FindAllStringSubmatch(text, -1) {
		if service, ok := b.service[match[2]]; ok {
			services = append(services, service)
		}
	}
	return services
}

// checkFree returns an error that names every given address of a wanted service that is in use.
func (b *addressBook) checkFree(wanted func(service string) bool) error {
	var taken []error
	for e, address := range b.given {
		if !wanted(e.service) {
			continue
		}
		listener, err := net.Listen("tcp", address)
		switch {
		case errors.Is(err, syscall.EADDRINUSE):
			taken = append(taken, fmt.Errorf("%s, which %s needs, is in use: end what listens there, or set another port (.env has their names)", address, e.service))
		case err != nil:
			taken = append(taken, fmt.Errorf("%s, which %s needs: %w", address, e.service, err))
		default:
			taken = append(taken, listener.Close())
		}
	}
	return errors.Join(taken...)
}
