package main

import (
	"fmt"
	"strconv"
	"strings"

	"tracelab/services"
	"tracelab/services/flows"
)

// mostWorkers is the most workers that a service may be given.
const mostWorkers = 10_000

// parseWorkers reads what --workers says: N for the records that every service works on at a time, SERVICE=N for the calls and records that
// one does. The last one counts.
func parseWorkers(f *flows.Flow, texts []string) (every int, of map[string]int, err error) {
	every = services.DefaultWorkers
	for _, text := range texts {
		service, number, one := strings.Cut(text, "=")
		if !one {
			number = text
		}
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 || n > mostWorkers {
			return 0, nil, fmt.Errorf("--workers %s: use a number from 1 to %d, or SERVICE=N", text, mostWorkers)
		}
		if !one {
			every = n
			continue
		}
		if err := f.CheckService(service); err != nil {
			return 0, nil, fmt.Errorf("--workers %s: %w", text, err)
		}
		if service == flows.Gateway {
			return 0, nil, fmt.Errorf("--workers %s: the gateway passes everything on: give workers to a service behind it", text)
		}
		if of == nil {
			of = map[string]int{}
		}
		of[service] = n
	}
	return every, of, nil
}

// parseInstances reads what --instances says: SERVICE=N. The last one counts.
func parseInstances(texts []string) (map[string]int, error) {
	var of map[string]int
	for _, text := range texts {
		service, number, _ := strings.Cut(text, "=")
		n, err := strconv.Atoi(number)
		if err != nil {
			return nil, fmt.Errorf("--instances %s: write SERVICE=N, such as payment=2", text)
		}
		if of == nil {
			of = map[string]int{}
		}
		of[service] = n
	}
	return of, nil
}
