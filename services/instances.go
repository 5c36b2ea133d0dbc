package services

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"tracelab/services/internal/store"
)

// A service may have several instances in a process: nodes of one name with addresses of their own, members of the same consumer group. Callers ask
// them in turn. They share what the service remembers, as instances share a database. An instance is called SERVICE/N, from 1 on; the service's name
// alone means all of them.

// MostInstances is the most instances that a service may have in a process.
const MostInstances = 64

// CheckInstances finds numbers of instances that make no sense.
func (c Config) CheckInstances() error {
	f := c.flow()
	for _, service := range slices.Sorted(maps.Keys(c.Instances)) {
		n := c.Instances[service]
		if err := f.CheckService(service); err != nil {
			return fmt.Errorf("instances of %s: %w", service, err)
		}
		switch {
		case n < 1 || n > MostInstances:
			return fmt.Errorf("%d instances of %s: use 1 to %d", n, service, MostInstances)
		case n > 1 && service == Gateway:
			return errors.New("instances of the gateway: clients know one address of it: give instances to a service behind it")
		case n > 1 && service == f.Entry().Service():
			return fmt.Errorf("instances of %[1]s: it keeps the accounts of this process: start %[1]s as further processes (serve %[1]s) that share a PostgreSQL (--store)", service)
		}
	}
	return nil
}

// InstancesOf lists the instances of a service by name: the service itself when it has one.
func (c Config) InstancesOf(service string) []string {
	n := c.Instances[service]
	if n <= 1 {
		return []string{service}
	}
	names := make([]string, n)
	for i := range names {
		names[i] = service + "/" + strconv.Itoa(i+1)
	}
	return names
}

// instances lists all instances of this process, in the order of its services.
func (c Config) instances() []string {
	var all []string
	for _, service := range c.Services {
		all = append(all, c.InstancesOf(service)...)
	}
	return all
}

// splitInstance returns the service of an instance, and which of its instances it is: 0 when it is the only one.
func splitInstance(instance string) (service string, number int) {
	service, text, _ := strings.Cut(instance, "/")
	number, _ = strconv.Atoi(text)
	return service, number
}

// place is where an instance answers.
type place struct{ http, grpc string }

// places are where the instances are to answer, by name. What the configuration does not say is free.
func (c Config) places() map[string]place {
	nth := func(addresses string, n int) string {
		list := strings.Split(addresses, ",")
		if n >= len(list) {
			return ""
		}
		return list[n]
	}
	all := map[string]place{}
	for _, service := range c.Services {
		instances := c.InstancesOf(service)
		for i, instance := range instances {
			all[instance] = place{nth(c.HTTP[service], i), nth(c.GRPC[service], i)}
		}
		if len(instances) == 1 {
			all[service] = place{c.HTTP[service], c.GRPC[service]}
		}
	}
	return all
}

// named lists the instances that a name means: all of a service, or one.
func (s *System) named(name string) []string {
	if slices.Contains(s.config.Services, name) {
		return s.config.InstancesOf(name)
	}
	return []string{name}
}

// forEach applies do to each instance of the name that it makes sense for. When it makes sense for none, it applies do to all, so that the error
// says why.
func (s *System) forEach(name string, makesSense func(*node) bool, do func(instance string) error) error {
	instances := s.named(name)
	if len(instances) > 1 {
		fitting := slices.DeleteFunc(slices.Clone(instances), func(instance string) bool {
			n, _ := s.find(instance)
			return !makesSense(n)
		})
		if len(fitting) > 0 {
			instances = fitting
		}
	}
	errs := make([]error, len(instances))
	for i, instance := range instances {
		errs[i] = do(instance)
	}
	return errors.Join(errs...)
}

func runs(n *node) bool   { return n != nil }
func ticks(n *node) bool  { return n != nil && !n.life.Paused() }
func awaits(n *node) bool { return n == nil || n.life.Paused() }

// store is what a service remembers: in its own memory, unless the configuration has a place for all. Instances of one share it.
func (s *System) store(service string) *Store {
	if s.config.Store != nil {
		return s.config.Store
	}
	if s.config.Instances[service] <= 1 {
		return s.memory()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shared[service] == nil {
		s.shared[service] = s.memory()
	}
	return s.shared[service]
}

// memory is a store in memory.
func (s *System) memory() *Store {
	return newStore(store.NewMemory(store.Limits{Units: s.config.Remembered, Effects: cmp.Or(s.config.Effects, effectsLimit()/max(1, len(s.config.Services)))}), s.config.Remembered)
}
