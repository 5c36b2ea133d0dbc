package rundir_test

import (
	"testing"

	"tracelab/lab/rundir"
)

// TestProvenanceInWords says all that a run was made with, and nothing of what it was made without.
func TestProvenanceInWords(t *testing.T) {
	plain := rundir.Provenance{Seed: 1, Topology: "order", Relation: "both", Broker: "embedded", Rate: 80}
	full := rundir.Provenance{
		Seed: 7, Flow: "ride", Unit: "ride", Relation: "link", BrokerIs: "Kafka 4.4", Stores: "a file", Clients: 4, ThinkMS: 1.5, Version: "1.2", Go: "go1.26",
		Machine: rundir.Machine{OS: "linux", Arch: "amd64", CPU: "EPYC", Cores: 1},
		Faults:  []string{"a:error=x", "b:delay=1s"}, Events: []string{"1s:kill:a"}, Surge: "1s:1s:5", Links: []string{"a>b:cut"},
		WorkersOf: map[string]int{"b": 3, "a": 1}, Instances: map[string]int{"a": 2},
	}
	for got, want := range map[string]string{
		plain.Setting(): "seed 1, flow order, relation both",
		plain.Load():    "80 orders/s",
		plain.Parts():   "Kafka embedded; stores: not told",
		plain.MadeOn():  "on a processor that does not tell its name, 0 cores, ; tracelab unknown, ",
		full.Setting():  "seed 7, flow ride, relation link, faults a:error=x b:delay=1s, events 1s:kill:a, surge 1s:1s:5, links a>b:cut, 1 worker of a, 3 workers of b, 2 instances of a",
		full.Load():     "closed loop of 4 that think for 1.5 ms",
		full.Parts():    "Kafka 4.4; stores: a file",
		full.MadeOn():   "on EPYC, 1 core, linux/amd64; tracelab 1.2, go1.26",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestARunThatIsNotItsServicesAlone says why: its generator was late, its process was starved, or both.
func TestARunThatIsNotItsServicesAlone(t *testing.T) {
	late, starved := rundir.Generator{StartLagP99: 2.5}, rundir.Starvation{Share: 0.25, Longest: 30}
	const lateText, starvedText = "the generator started rides late (p99 2.5 ms over 2 ms)", "the process did not get the CPU that it needed for 25 % of the time (up to 30 ms at a time)"
	for name, c := range map[string]struct {
		of            rundir.Provenance
		marked, doubt string
	}{
		"calm":    {rundir.Provenance{Generator: rundir.Generator{StartLagP99: 2}}, "", ""},
		"late":    {rundir.Provenance{Unit: "ride", Generator: late}, "late", lateText},
		"starved": {rundir.Provenance{Starvation: starved}, "starved", starvedText},
		"both":    {rundir.Provenance{Unit: "ride", Generator: late, Starvation: starved}, "late", lateText + "; " + starvedText},
	} {
		if marked, doubt := c.of.Marked(), c.of.Doubt(); marked != c.marked || doubt != c.doubt {
			t.Errorf("%s: %q, %q", name, marked, doubt)
		}
	}
}
