//go:build linux || darwin

package stack_test

import "slices"

// watchers holds the two ends of a topic against each other, and what --scale needs: no name and no port of its own. Without the profile nothing is
// written to Kafka, which would fill a disk that nobody reads.
func watchers(c composeFile) []string {
	w, collector := c.all.Services["watcher"], c.all.Services["collector"]
	return list(
		unless(slices.Contains(w.Command, "--topic="+value(collector, "COLLECTOR_KAFKA_TOPIC")), "watchers %q do not read %s", w.Command, value(collector, "COLLECTOR_KAFKA_TOPIC")),
		unless(slices.Contains(w.Command, "--kafka="+value(collector, "COLLECTOR_KAFKA")), "watchers %q do not read from %s", w.Command, value(collector, "COLLECTOR_KAFKA")),
		unless(w.ContainerName == "" && w.Hostname == "" && len(w.Ports) == 0 && len(w.Volumes) == 0, "watcher: name %q, host %q, ports %v, volumes %v", w.ContainerName, w.Hostname, w.Ports, w.Volumes),
		unless(c.variable("COLLECTOR_TO_KAFKA") == "no-kafka", "the collector writes to Kafka without the profile watch"))
}
