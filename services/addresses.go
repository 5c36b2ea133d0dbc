package services

import (
	"strings"
	"sync/atomic"

	"tracelab/services/internal/carrier"
)

// lookup finds a service's address. Of a service that has several instances, each is asked in its turn.
func lookup(addresses map[string]string) func(string) (string, error) {
	turns := &atomic.Uint64{}
	return func(service string) (string, error) {
		address, ok := addresses[service]
		if !ok {
			return "", carrier.Fail("", carrier.Unreachable, "no address of "+service+": name it on the command line")
		}
		if strings.Contains(address, ",") {
			instances := strings.Split(address, ",")
			address = instances[turns.Add(1)%uint64(len(instances))]
		}
		return address, nil
	}
}

// Address is where a service answers HTTP, as host:port; where it has several instances, with commas between.
func (s *System) Address(service string) string { return s.config.HTTP[service] }

// GRPCAddress is where a service answers gRPC, as Address.
func (s *System) GRPCAddress(service string) string { return s.config.GRPC[service] }
