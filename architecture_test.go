// Package tracelab_test holds the architecture: which room (top-level folder) may import which, and which libraries stay in one place.
package tracelab_test

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

// module is this repository's path: the module line of go.mod is the one place where it stands.
var module = readModule("go.mod")

func readModule(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimPrefix(line, "module ")
}

// room is a top-level folder and the other rooms that it may import. What is not listed is forbidden.
type room struct {
	name string
	may  []string
	why  string
}

var rooms = []room{
	{"cmd", []string{"watch", "otelamqp", "page", "experiments", "lab", "doctor", "derive", "services", "journey", "internal"}, "joins: flags and wiring only, so nothing imports it"},
	{"page", []string{"experiments", "docs", "lab", "services", "journey", "internal"}, "shows: a web page over a lab that stays up; it starts nothing that it was not given"},
	{"experiments", []string{"lab", "services", "journey", "internal"}, "asks: it runs the lab and judges what came out; of the services it knows flows and what their steps cost by seed"},
	{"lab", []string{"otelamqp", "services", "journey", "derive", "internal"}, "drives: it starts services, and knows of no experiment and no command; its tests have a broker of otelamqp/amqptest"},
	{"doctor", []string{"otelamqp", "lab", "services", "journey", "internal"}, "finds the first broken hop between a service and a person's screen"},
	{"derive", []string{"services", "journey"}, "writes flows from journeys: what the judge reads of anybody's traces, as data that the services do"},
	{"services", []string{"otelamqp", "otelkgo", "tracecontext", "internal"}, "makes traces: the system under observation knows neither its driver nor its judge"},
	{"watch", []string{"otelkgo", "journey", "internal"}, "judges a stream of traces by the rules of the judge: it knows neither the lab nor its services"},
	{"journey", nil, "judges traces: a library for projects that have never heard of the lab"},
	{"otelamqp", nil, "instruments amqp091-go: a library for projects that have never heard of the lab"},
	{"otelkgo", nil, "instruments franz-go: a library for projects that have never heard of the lab"},
	{"tracecontext", nil, "propagates context: a library for projects that have never heard of the lab"},
	{"tools", []string{"internal"}, "serves those who build: it works before the rest compiles"},
	{"internal", []string{"otelamqp", "otelkgo", "tracecontext", "journey", "lab", "watch"}, "what several rooms need that are not libraries: each with one job"},
	{"collector", []string{"lab", "services", "watch", "journey", "internal"}, "tests the collector's configuration with the real program, the lab and its watchers"},
	{"jaeger", []string{"lab", "services", "journey", "internal"}, "tests Jaeger's configuration with the real program and the lab"},
	{"prometheus", []string{"internal"}, "tests the scrape configuration and the rules with the real program"},
	{"dashboards", []string{"watch", "journey", "internal"}, "reads the dashboards and runs their queries; its tests make series of journeys as a watcher does"},
	{"smoke", []string{"dashboards", "internal"}, "uses the whole stack as a person would, by its commands and addresses"},
	{"interop", []string{"otelamqp", "otelkgo", "journey", "internal"}, "judges spans of others' instrumentation, from real programs, brokers and SDKs"},
	{"docs", []string{"internal"}, "runs the pages as a reader would, by the program's commands; docs/claims is data for the page"},
	{".", nil, "this test"},
}

// confinement keeps imports out of all folders but a few. Test files are free: who uses a package does not build its tests.
type confinement struct {
	name    string
	imports func(path string) bool // the imports it is about
	allowed func(file string) bool // the files that may have them
	why     string
}

var confinements = []confinement{
	{"franz-go", under("github.com/twmb/franz-go"),
		matches("otelkgo/*.go", "services/internal/carrier/kafka/*.go", "services/internal/carrier/carriertest/*.go", "lab/*.go", "doctor/*.go", "internal/batches/*.go", "internal/offsets/*.go", "internal/broker/*.go", "internal/broker/brokertest/*.go", "internal/traceset/kafka.go", "experiments/model/partition.go", "watch/*.go"),
		"the broker is a seam: only its carrier knows what an offset or a partition is, the lab starts the embedded broker, and the model places keys as the client does"},
	{"amqp091-go", under("github.com/rabbitmq/amqp091-go"),
		matches("otelamqp/*.go", "otelamqp/amqptest/*.go", "services/internal/carrier/rabbitmq/*.go", "doctor/*.go", "internal/rabbitmq/*.go", "interop/*.go"),
		"the broker is a seam: only its carrier knows what an exchange or a delivery tag is"},
	{"pgx", under("github.com/jackc/pgx"), matches("services/internal/store/*.go", "internal/postgres/*.go"),
		"the store is a seam: only one kind of it knows SQL"},
	{"the lab", func(p string) bool { return strings.HasPrefix(p, module+"/lab") },
		func(file string) bool {
			return !strings.HasPrefix(file, "internal/") || strings.HasPrefix(file, "internal/traceset/")
		},
		"only what a command line names is looked for in run directories"},
	{"what is kept of judged journeys", under(module + "/watch"), matches("cmd/tracelab/*.go", "internal/traceset/*.go", "watch/*.go"),
		"a command line names summaries as it names traces; nothing else reads them"},
	{"flows from traces", under(module + "/derive"), matches("cmd/tracelab/*.go"), "the lab runs flows wherever they come from; its tests run derived ones"},
	{"toxiproxy", under("github.com/Shopify/toxiproxy"), matches("lab/links/*.go"),
		"what lies on a connection is the lab's business, and no service knows of it"},
	{"compose-go", under("github.com/compose-spec/compose-go"), matches("internal/stack/*.go"),
		"what users of tracelab build has no need of it"},
	{"anything but the standard library", func(p string) bool { return !isStandard(p) && !isOurs(p) },
		func(file string) bool {
			return !slices.Contains([]string{"journey", "journey/semconv", "journey/format", "journey/compare", "journey/predict", "journey/lint"}, path.Dir(file)) &&
				!strings.HasPrefix(file, "journey/internal/")
		},
		"the judge imports the standard library only; what reads formats and draws pages may have help"},
	{"a room that runs or judges traces", func(p string) bool { return isOurs(p) && !strings.HasPrefix(p, module+"/experiments/") },
		func(file string) bool {
			return !strings.HasPrefix(file, "experiments/model/") && !strings.HasPrefix(file, "experiments/verdict/")
		},
		"a prediction or a verdict needs figures only, and anybody may have those"},
	{"the lab and its services", func(p string) bool { return p == module+"/lab" || under(module+"/services")(p) },
		func(file string) bool { return !strings.HasPrefix(file, "lab/rundir/") },
		"who only reads a run directory links no service"},
}

// partsOfJourney are the packages of the module journey and the others of them that each may import.
var partsOfJourney = map[string][]string{
	"semconv":         nil,
	"format":          nil,
	"":                {"semconv", "internal/intern"},
	"compare":         {"", "semconv", "format", "internal/intern"},
	"lint":            {"", "semconv", "format"},
	"predict":         {"", "semconv", "compare"},
	"report":          {"", "semconv", "format", "compare", "predict", "lint"},
	"source":          {"", "semconv", "format"},
	"source/redial":   nil,
	"source/jaeger":   {"", "semconv", "format", "source", "source/redial"},
	"internal/intern": nil,
	"internal/draw":   {"", "semconv"},
}

// checkPart holds which part of journey may import which. Test files are free.
func checkPart(file, imported string) []string {
	to, ours := strings.CutPrefix(imported+"/", module+"/journey/")
	if !ours || !strings.HasPrefix(file, "journey/") || strings.HasSuffix(file, "_test.go") {
		return nil
	}
	from := strings.TrimPrefix(strings.TrimPrefix(path.Dir(file), "journey"), "/")
	to = strings.TrimSuffix(to, "/")
	may, known := partsOfJourney[from]
	switch {
	case !known:
		return []string{fmt.Sprintf("%s: journey/%s is a part of journey that architecture_test.go does not know", file, from)}
	case from != to && !slices.Contains(may, to):
		return []string{fmt.Sprintf("%s imports %s: part %q of journey may not import part %q", file, imported, from, to)}
	}
	return nil
}

func TestArchitecture(t *testing.T) {
	sources, err := readSources(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, violation := range check(sources) {
		t.Error(violation)
	}
}

// TestForbiddenImportsAreFound gives the rules small graphs with one arrow each, since a test of arrows that finds none proves nothing.
func TestForbiddenImportsAreFound(t *testing.T) {
	for _, c := range []struct{ file, imports, want string }{
		{"lab/lab.go", module + "/services", ""},
		{"lab/broker.go", "github.com/twmb/franz-go/pkg/kfake", ""},
		{"lab/lab.go", module + "/lab/internal/clock", ""},
		{"lab/lab.go", module + "/experiments", "lab may not import experiments"},
		{"lab/lab.go", module + "/derive", "flows from traces"},
		{"lab/derive_test.go", module + "/derive", ""},
		{"derive/derive.go", module + "/lab", "derive may not import lab"},
		{"lab/rundir/read.go", module + "/journey/source", ""},
		{"lab/rundir/read.go", module + "/services", "links no service"},
		{"lab/rundir/read.go", module + "/lab", "links no service"},
		{"services/orders.go", module + "/journey", "services may not import journey"},
		{"services/orders_test.go", module + "/lab", "services may not import lab"},
		{"otelkgo/send.go", module + "/tracecontext", "otelkgo may not import tracecontext"},
		{"experiments/chain.go", module + "/cmd/tracelab", "experiments may not import cmd"},
		{"experiments/chain.go", module + "/lab", ""},
		{"experiments/chain.go", module + "/page", "experiments may not import page"},
		{"page/place.go", module + "/lab", ""},
		{"page/place.go", module + "/doctor", "page may not import doctor"},
		{"experiments/chain.go", "github.com/twmb/franz-go/pkg/kgo", "franz-go"},
		{"experiments/model/partition.go", "github.com/twmb/franz-go/pkg/kgo", ""},
		{"experiments/model/path.go", module + "/lab/rundir", "needs figures only"},
		{"experiments/verdict/rule.go", module + "/journey/compare", "needs figures only"},
		{"services/internal/carrier/kafka/kafka.go", "github.com/twmb/franz-go/pkg/kgo", ""},
		{"services/internal/carrier/consumer.go", "github.com/twmb/franz-go/pkg/kgo", "franz-go"},
		{"services/orders.go", "github.com/twmb/franz-go/pkg/kgo", "franz-go"},
		{"services/internal/carrier/http/server.go", "github.com/twmb/franz-go", "franz-go"},
		{"services/broker_test.go", "github.com/twmb/franz-go/pkg/kfake", ""},
		{"doctor/kafka.go", "github.com/twmb/franz-go/pkg/kadm", ""},
		{"collector/collector_test.go", module + "/lab", ""},
		{"jaeger/jaeger_test.go", module + "/tools/stack", "jaeger may not import tools"},
		{"lab/lab.go", module + "/collector", "lab may not import collector"},
		{"lab/lab.go", module + "/watch/summary", "lab may not import watch"},
		{"watch/summary/of.go", module + "/journey/lint", ""},
		{"watch/summary/of.go", module + "/lab/rundir", "watch may not import lab"},
		{"internal/traceset/kafka.go", module + "/watch/summary", ""},
		{"internal/traceset/kafka.go", "github.com/twmb/franz-go/pkg/kgo", ""},
		{"internal/traceset/summaries.go", "github.com/twmb/franz-go/pkg/kgo", "franz-go"},
		{"internal/poll/poll.go", module + "/watch/summary", "what is kept of judged journeys"},
		{"internal/stack/load.go", "github.com/compose-spec/compose-go/v2/cli", ""},
		{"tools/stack/main.go", "github.com/compose-spec/compose-go/v2/cli", "compose-go"},
		{"journey/journey.go", "cmp", ""},
		{"journey/journey.go", "golang.org/x/sync/errgroup", "standard library only"},
		{"journey/journey.go", module + "/journey/report", `part "" of journey may not import part "report"`},
		{"journey/journey.go", module + "/journey/semconv", ""},
		{"journey/compare/group.go", module + "/journey", ""},
		{"journey/compare/group.go", module + "/journey/report", `part "compare" of journey may not import part "report"`},
		{"journey/compare/group.go", "github.com/mattn/go-runewidth", "standard library only"},
		{"journey/lint/lint.go", module + "/journey/source", `part "lint" of journey may not import part "source"`},
		{"journey/report/bars.go", "github.com/mattn/go-runewidth", ""},
		{"journey/replay/replay.go", module + "/journey", "a part of journey that architecture_test.go does not know"},
		{"journey/source/otlp.go", "go.opentelemetry.io/proto/otlp/trace/v1", ""},
		{"journey/source/otlp.go", module + "/journey", ""},
		{"journey/path_test.go", "pgregory.net/rapid", ""},
		{"newroom/new.go", "fmt", "newroom is a room that architecture_test.go does not know"},
	} {
		found := check([]source{{file: c.file, imports: []string{c.imports}}})
		switch {
		case c.want == "" && len(found) > 0:
			t.Errorf("%s importing %s: found %q, want nothing", c.file, c.imports, found)
		case c.want != "" && (len(found) != 1 || !strings.Contains(found[0], c.want)):
			t.Errorf("%s importing %s: found %q, want one with %q", c.file, c.imports, found, c.want)
		}
	}
	if found := check(nil); len(found) != 1 {
		t.Errorf("no files at all: found %q, want one complaint", found)
	}
}

// check returns what the files do against the rules, one sentence each.
func check(sources []source) []string {
	if len(sources) == 0 {
		return []string{"no Go files found: nothing was checked"}
	}
	var violations []string
	for _, s := range sources {
		from, known := findRoom(roomOf(s.file))
		if !known {
			violations = append(violations, fmt.Sprintf("%s: %s is a room that architecture_test.go does not know: add it to rooms, with what it may import and why", s.file, roomOf(s.file)))
			continue
		}
		for _, imported := range s.imports {
			violations = append(violations, checkImport(s.file, from, imported)...)
		}
	}
	return violations
}

func checkImport(file string, from room, imported string) []string {
	if isOurs(imported) {
		to := roomOf(strings.TrimPrefix(imported, module+"/") + "/")
		if to != from.name && !slices.Contains(from.may, to) {
			return []string{fmt.Sprintf("%s imports %s: %s may not import %s (%s %s)", file, imported, from.name, to, from.name, from.why)}
		}
	}
	violations := checkPart(file, imported)
	for _, c := range confinements {
		if c.imports(imported) && !c.allowed(file) && !strings.HasSuffix(file, "_test.go") {
			violations = append(violations, fmt.Sprintf("%s imports %s, which is %s: %s", file, imported, c.name, c.why))
		}
	}
	return violations
}

// roomOf returns the first folder of a path, and "." for a file in the module's root.
func roomOf(file string) string {
	first, _, nested := strings.Cut(file, "/")
	if !nested {
		return "."
	}
	return first
}

func findRoom(name string) (room, bool) {
	i := slices.IndexFunc(rooms, func(r room) bool { return r.name == name })
	if i < 0 {
		return room{}, false
	}
	return rooms[i], true
}

func isOurs(imported string) bool {
	return imported == module || strings.HasPrefix(imported, module+"/")
}

// isStandard goes by the rule that the first element of a path from elsewhere has a dot in it.
func isStandard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".") && first != module
}

func under(prefix string) func(string) bool {
	return func(p string) bool { return p == prefix || strings.HasPrefix(p, prefix+"/") }
}

// matches holds for a file that fits one of the patterns, or is in a folder below one of their folders' *.go.
func matches(patterns ...string) func(string) bool {
	return func(file string) bool {
		return slices.ContainsFunc(patterns, func(pattern string) bool {
			fits, err := path.Match(pattern, file)
			below := path.Base(pattern) == "*.go" && strings.HasPrefix(file, path.Dir(pattern)+"/")
			return below || (err == nil && fits)
		})
	}
}
