package flows

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestEveryBuiltinIsRead: all of them, and some of each generator.
func TestEveryBuiltinIsRead(t *testing.T) {
	names := []string{"chain:1", "chain:4", "chain:50", "fan-out:1", "fan-out:3", "fan-out:50"}
	for _, b := range Builtins() {
		if !strings.HasSuffix(b.Name, ":N") {
			names = append(names, b.Name)
		}
	}
	if len(names) != 11 {
		t.Errorf("%d built-in flows, want 11: one of them cannot be read", len(names))
	}
	for _, name := range names {
		f, err := Named(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if f.What == "" || len(f.Forms()) < 3 || f.Last().Service() != f.Entry().Service() {
			t.Errorf("%s: %q, forms %v, ends with %s", name, f.What, f.Forms(), f.Last())
		}
	}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".yaml"); ok && !strings.Contains(fmt.Sprint(Builtins()), "{"+name+" ") {
			t.Errorf("%s is not listed", e.Name())
		}
	}
}

const small = `flow: parcel
body: {name: text 1..10, kind: one of small big, weight: 1..30}
reasons: {too_heavy: 409}
steps:
  desk.Take: {wait: 1ms}
  scale.Weigh: {after: desk.Take, message: parcel.taken, wait: 2ms, cpu: 5}
  truck.Load: {after: scale.Weigh, message: parcel.weighed, quantiles: [3ms, 4ms, 9ms], when: kind = big}
forms:
  grpc: {each: grpc}
  kafka: {each: kafka, desk.Take: http}
`

func TestAFlowIsRead(t *testing.T) {
	f, err := Parse("parcel.yaml", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	got := []any{f.Name, f.Path, f.Unit, f.Default, f.Services(), f.Steps(), f.Topics(), f.Conditional(), f.Last(), f.RPCService("scale"), f.Reasons}
	want := []any{"parcel", "/parcels", "parcel", Kafka, []string{"gateway", "desk", "scale", "truck"},
		[]Step{"desk.Take", "scale.Weigh", "truck.Load", "desk.Settle"}, []string{"parcel.failed", "parcel.taken", "parcel.weighed", "parcel.settled"},
		[]Step{"truck.Load"}, Step("desk.Settle"), "tracelab.parcel.v1.Scale", map[string]int{"too_heavy": 409}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	load, _ := f.Row("truck.Load")
	if diff := cmp.Diff(Cost{Wait: 3 * time.Millisecond, Spread: DefaultSpread, Quantiles: []time.Duration{3e6, 4e6, 9e6}}, load.Cost); diff != "" {
		t.Errorf("cost (-want +got):\n%s", diff)
	}
	batched, err := Parse("parcel.yaml", []byte(strings.Replace(small, "desk.Take: http", "desk.Take: http, scale.Weigh: kafka in batches of 10, 1s", 1)))
	if err != nil {
		t.Fatal(err)
	}
	column, _ := batched.Column("kafka")
	if batch, ok := batched.BatchOf("kafka", KafkaLog, "scale", "parcel.taken"); !ok || batch != (Batch{10, time.Second}) || len(column.Batches) != 1 || column.CarriedBy("scale.Weigh") != "kafka in batches of 10, 1s" {
		t.Errorf("batches %v: want one of scale's", column.Batches)
	}
	column, _ = f.Column("kafka")
	if diff := cmp.Diff(map[Step]Carrier{"desk.Take": HTTP, "scale.Weigh": KafkaLog, "truck.Load": KafkaLog, "desk.Settle": KafkaLog}, column.By); diff != "" {
		t.Errorf("carriers (-want +got):\n%s", diff)
	}
}

// wrongFlows are changes of the small flow, and words of the error that each must give.
var wrongFlows = []struct {
	change [2]string // what is replaced, by what
	at     string    // line:column
	words  []string
}{
	{[2]string{"flow: parcel", "flow: Parcel!"}, "1:7", []string{"small letters"}},
	{[2]string{"flow: parcel", "flo: parcel"}, "1:1", []string{`did you mean "flow"`}},
	{[2]string{"flow: parcel\n", ""}, "", []string{"no flow"}},
	{[2]string{"flow: parcel", "flow: parcel\npath: /runs"}, "", []string{"belongs to the gateway"}},
	{[2]string{"wait: 1ms", "wait: 6"}, "5:21", []string{"steps: desk.Take: wait", "say the unit", "6ms"}},
	{[2]string{"wait: 1ms", "wait: 2h"}, "5:21", []string{"1m0s"}},
	{[2]string{"wait: 1ms", "wait: soon"}, "5:21", []string{"duration such as"}},
	{[2]string{"wait: 1ms", "wait:"}, "5:15", []string{"nothing behind it"}},
	{[2]string{"wait: 1ms", "wiat: 1ms"}, "5:15", []string{`no field "wiat"`, `"wait"`}},
	{[2]string{"wait: 1ms", "wait: 1ms, after: scale.Weigh"}, "", []string{"circle", "desk.Take after"}},
	{[2]string{"wait: 1ms", "wait: 1ms, share: 0.5"}, "5:3", []string{"every unit"}},
	{[2]string{"after: desk.Take", "after: desk.Tak"}, "6:24", []string{`"desk.Take"`}},
	{[2]string{"after: desk.Take", "after: scale.Weigh"}, "6:24", []string{"comes after itself"}},
	{[2]string{"after: desk.Take", "after: [desk.Take, desk.Take]"}, "6:36", []string{"twice"}},
	{[2]string{"after: desk.Take", "after: []"}, "6:24", []string{"leave it out"}},
	{[2]string{"after: desk.Take, ", ""}, "6:3", []string{"second entry", "desk.Take"}},
	{[2]string{"after: desk.Take", "after: truck.Load"}, "", []string{"circle", "scale.Weigh", "truck.Load"}},
	{[2]string{"scale.Weigh: {after", "scale.Weigh.Now: {after"}, "6:3", []string{"SERVICE.Verb"}},
	{[2]string{"scale.Weigh: {after", "gateway.Weigh: {after"}, "6:3", []string{"gateway"}},
	{[2]string{"message: parcel.taken", "message: no topic"}, "6:44", []string{"no topic has that name"}},
	{[2]string{"message: parcel.taken", "message: parcel.failed"}, "6:3", []string{"topic of failures"}},
	{[2]string{"message: parcel.taken", "message: parcel.completed"}, "6:3", []string{"topic of replies"}},
	{[2]string{"message: parcel.weighed", "message: parcel.taken"}, "7:3", []string{"a topic of its own"}},
	{[2]string{"message: parcel.taken, ", ""}, "6:3", []string{"kafka", "name its topic"}},
	{[2]string{"cpu: 5", "cpu: -1"}, "6:74", []string{"rounds"}},
	{[2]string{"cpu: 5", "cpu: NaN"}, "6:74", []string{"rounds"}},
	{[2]string{"[3ms, 4ms, 9ms]", "[3ms, 4ms]"}, "", []string{"p50, p90 and p99"}},
	{[2]string{"[3ms, 4ms, 9ms]", "[3ms, 2ms, 9ms]"}, "7:78", []string{"grow"}},
	{[2]string{"when: kind = big", "when: kind"}, "", []string{"FIELD = VALUE"}},
	{[2]string{"when: kind = big", "when: kin = big"}, "", []string{`"kind"`}},
	{[2]string{"when: kind = big", "when: kind = bog"}, "", []string{`"big"`}},
	{[2]string{"when: kind = big", "share: 1.5"}, "", []string{"share over 0"}},
	{[2]string{"cpu: 5", "retry: often"}, "6:76", []string{"1 to 20", RetryExample}},
	{[2]string{"cpu: 5", "retry: 0"}, "6:76", []string{"1 to 20"}},
	{[2]string{"cpu: 5", "retry: 21 within 2s"}, "6:76", []string{"1 to 20"}},
	{[2]string{"cpu: 5", "retry: 3 withn 2s"}, "6:76", []string{`did you mean "within"`}},
	{[2]string{"cpu: 5", "retry: 3 within 2"}, "6:76", []string{"steps: scale.Weigh: retry", "say the unit"}},
	{[2]string{"cpu: 5", "retry: 3 within 2h"}, "6:76", []string{"up to 1m0s"}},
	{[2]string{"cpu: 5", "retry: 3 within 0s"}, "6:76", []string{"more than 0"}},
	{[2]string{"cpu: 5", `retry: "3 within 2s, backof 5ms"`}, "6:76", []string{`did you mean "backoff"`}},
	{[2]string{"cpu: 5", `retry: "3 within 2s, backoff"`}, "6:76", []string{"behind the comma"}},
	{[2]string{"cpu: 5", `retry: "3 within 2s, backoff 11s"`}, "6:76", []string{"up to 10s"}},
	{[2]string{"cpu: 5", "retry: 3 times within 2s"}, "6:76", []string{RetryExample}},
	{[2]string{"cpu: 5", "retry: {times: 3}"}, "", []string{"plain text"}},
	{[2]string{"cpu: 5", "retry: 3 within 2s, backof 5ms"}, "6:76", []string{`did you mean "backoff"`}},
	{[2]string{"cpu: 5", "cpu: 5, backoff 5ms"}, "", []string{"nothing behind it"}},
	{[2]string{"cpu: 5", "retri: 3"}, "6:69", []string{`did you mean "retry"`}},
	{[2]string{"{each: grpc}", "{each: grp}"}, "9:16", []string{`did you mean "grpc"`}},
	{[2]string{"{each: grpc}", "{each: local}"}, "9:16", []string{"no carrier"}},
	{[2]string{"{each: grpc}", "{}"}, "9:9", []string{"empty"}},
	{[2]string{"{each: grpc}", "{desk.Take: grpc}"}, "9:3", []string{"scale.Weigh", "each"}},
	{[2]string{"{each: grpc}", "{each: grpc, plan: calee}"}, "9:28", []string{`"callee"`}},
	{[2]string{"{each: grpc}", "{each: grpc, scale.Wei: http}"}, "9:22", []string{`"scale.Weigh"`}},
	{[2]string{"{each: grpc}", "{each: grpc, outbox: on}"}, "9:3", []string{"outbox", "desk sends no messages", "leave outbox out"}},
	{[2]string{"desk.Take: http", "desk.Take: http, outbox: yes"}, "10:49", []string{`"yes"`, "on or off"}},
	{[2]string{"flow: parcel", "flow: parcel\noutbx: on"}, "2:1", []string{`did you mean "outbox"`}},
	{[2]string{"  kafka: {each: kafka, desk.Take: http}", "  rest: {each: http}\noutbox: on"}, "", []string{"outbox", "no messages in any form"}},
	{[2]string{"desk.Take: http", "desk.Take: kafka"}, "10:3", []string{"the gateway calls"}},
	{[2]string{"desk.Take: http", "desk.Take: grpc, scale.Weigh: kafka in batches of 100, 20"}, "10:79", []string{"20", "nothing behind it"}},
	{[2]string{"desk.Take: http", "desk.Take: grpc, scale.Weigh: kafka in batches of 100"}, "10:54", []string{"how many", `kafka in batches of 100, 20ms`}},
	{[2]string{"desk.Take: http", `desk.Take: grpc, scale.Weigh: "kafka in batches of 1, 20ms"`}, "10:54", []string{"2 to 128", "link"}},
	{[2]string{"desk.Take: http", `desk.Take: grpc, scale.Weigh: "kafka in batches of 10, 20"`}, "10:54", []string{`"20"`, "such as 20ms"}},
	{[2]string{"desk.Take: http", `desk.Take: grpc, scale.Weigh: "grpc in batches of 10, 20ms"`}, "10:54", []string{"grpc has no batches"}},
	{[2]string{"desk.Take: http", `desk.Take: grpc, scale.Weigh: "kafak in batches of 10, 20ms"`}, "10:54", []string{`did you mean "kafka"`}},
	{[2]string{"{each: grpc}", `{each: "kafka in batches of 10, 20ms"}`}, "9:3", []string{"the gateway calls"}},
	{[2]string{"{each: grpc}", "{each: grpc, view: {from: truk, fed: kafka, updates: 20/s}}"}, "9:35", []string{"view", `did you mean "truck"`}},
	{[2]string{"{each: grpc}", "{each: grpc, view: {from: desk, fed: kafka, updates: 20/s}}"}, "9:35", []string{"keeps the view itself", "scale, truck"}},
	{[2]string{"{each: grpc}", "{each: grpc, view: {from: [truck, truck], fed: kafka, updates: 20/s}}"}, "9:43", []string{"twice"}},
	{[2]string{"{each: grpc}", "{each: grpc, view: {from: truck, fed: grpc, updates: 20/s}}"}, "9:47", []string{"in messages", "use kafka"}},
	{[2]string{"{each: grpc}", "{each: grpc, view: {from: truck, fed: kafka, updates: 20}}"}, "9:63", []string{"how many a second", "20/s"}},
	{[2]string{"{each: grpc}", "{each: grpc, view: {from: truck, fed: kafka, updates: NaN/s}}"}, "9:63", []string{"how many a second"}},
	{[2]string{"{each: grpc}", "{each: grpc, view: {from: truck, fed: kafka}}"}, "", []string{"no updates", "20/s"}},
	{[2]string{"{each: grpc}", "{each: grpc, view: {form: truck, fed: kafka, updates: 20/s}}"}, "9:29", []string{`did you mean "from"`}},
	{[2]string{"{each: grpc}", "{each: grpc, view: {from: scale, fed: kafka, updates: 20/s}}"}, "9:3", []string{"truck.Load", "only desk can read", "add truck"}},
	{[2]string{"{each: grpc}", "{each: grpc, answer: after scale.Weigh, view: {from: [scale, truck], fed: kafka, updates: 20/s}}"}, "9:3", []string{"scale.Weigh is left out"}},
	{[2]string{"{each: grpc}", "{each: grpc, view: {from: truck, fed: kafka, updates: 20/s}}\n  two: {each: grpc, view: {from: truck, fed: kafka, updates: 9/s}}"}, "10:3", []string{"grpc", "a flow has one"}},
	{[2]string{"{each: grpc}", "{each: graphql}"}, "9:3", []string{"the gateway calls desk.Take alone", "desk.Take: grpc"}},
	{[2]string{"{each: grpc}", "{each: graphq, desk.Take: grpc}"}, "9:16", []string{`did you mean "graphql"`}},
	{[2]string{"{each: grpc}", "{each: graphql, desk.Take: grpc, arrange: one by one}"}, "9:3", []string{"arrange", "side by side", "scale.Weigh"}},
	{[2]string{"{each: grpc}", "{each: graphql, desk.Take: grpc, plan: callee}"}, "9:3", []string{"plan", "leave plan out"}},
	{[2]string{"{each: grpc}", "{each: grpc, scale.Weigh: kafka, desk.Settle: graphql}"}, "9:42", []string{`no field "desk.Settle"`}},
	{[2]string{"{after: scale.Weigh, message: parcel.weighed, quantiles: [3ms, 4ms, 9ms], when: kind = big}\nforms:\n  grpc: {each: grpc}",
		"{after: desk.Take, message: parcel.taken, wait: 3ms}\nforms:\n  grpc: {each: graphql, desk.Take: grpc, scale.Weigh: kafka}"}, "9:3", []string{"desk.Settle", "by itself, and not by a query"}},
	{[2]string{"  kafka: {", "  orders: {"}, "10:3", []string{"none of orders"}},
	{[2]string{"text 1..10", "text 10..1"}, "2:14", []string{"text 1..100"}},
	{[2]string{"text 1..10", "number"}, "2:14", []string{"1..1000"}},
	{[2]string{"1..30", "1..30 draw 0..5"}, "", []string{"within 1..30"}},
	{[2]string{"one of small big", "one of small small"}, "", []string{"once"}},
	{[2]string{"one of small big", "one of small@0.5 big@0.6"}, "", []string{"add up to 1"}},
	{[2]string{"weight: 1..30", "status: 1..30"}, "", []string{"none of id"}},
	{[2]string{"too_heavy: 409", "too_heavy: 200"}, "3:22", []string{"400 to 499"}},
	{[2]string{"flow: parcel", "flow: &a parcel"}, "1:7", []string{"anchors"}},
	{[2]string{"flow: parcel", "flow: *a"}, "1:7", []string{"aliases"}},
	{[2]string{"flow: parcel", "<<: {a: b}"}, "", []string{"merge keys"}},
	{[2]string{"flow: parcel", "flow: !!str parcel"}, "1:7", []string{"tags"}},
	{[2]string{"forms:", "---\nforms:"}, "8:1", []string{"one document"}},
	{[2]string{"flow: parcel", "flow: parcel\nflow: parcel"}, "2:1", []string{"no YAML"}},
	{[2]string{"flow: parcel", "flow: [[[[[[[[[[[[1]]]]]]]]]]]]"}, "1:15", []string{"nested"}},
	{[2]string{"flow: parcel", "flow: \"parcel"}, "", []string{"no YAML"}},
}

func TestWhatIsWrongIsNamedWithItsPlace(t *testing.T) {
	for _, c := range wrongFlows {
		content := strings.Replace(small, c.change[0], c.change[1], 1)
		if content == small {
			t.Errorf("%q is not in the flow", c.change[0])
		}
		_, err := Parse("p.yaml", []byte(content))
		var wrong *Error
		if !errors.As(err, &wrong) {
			t.Errorf("%q: %v, want an *Error", c.change[1], err)
			continue
		}
		if at := fmt.Sprintf("%d:%d", wrong.Line, wrong.Column); c.at != "" && at != c.at {
			t.Errorf("%q: at %s, want %s: %v", c.change[1], at, c.at, err)
		}
		for _, word := range c.words {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%q: %v, want an error with %q", c.change[1], err, word)
			}
		}
	}
}

// TestOtherFilesAreRefused: what is no flow at all, quickly and in words.
func TestOtherFilesAreRefused(t *testing.T) {
	var many strings.Builder
	many.WriteString("flow: many\nsteps:\n  a.B: {wait: 1ms}\n")
	for i := range 10_000 {
		fmt.Fprintf(&many, "  s%d.Do: {after: a.B}\n", i)
	}
	many.WriteString("forms: {grpc: {each: grpc}}\n")
	for content, word := range map[string]string{
		"": "empty", " \n\t\n": "empty", "# nothing\n": "no flow in it", "- a\n- b\n": "mapping", "flow": "mapping", "\xff\xfe": "UTF-8",
		many.String():                               "steps",
		strings.Repeat("x", MaxFileBytes+1):         "256 KiB",
		strings.Repeat("[", 100_000):                "characters",
		strings.Repeat("[\n", 1_000):                "nested",
		strings.Repeat("- ", 2_000):                 "nested",
		"a: " + strings.Repeat("x", 200) + "\nb: c": `no field "a"`,
		"\x00\x01\x02":                              "",
	} {
		begin := time.Now()
		_, err := Parse("x.yaml", []byte(content))
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%.40q: %v, want an error with %q", content, err, word)
		} else if wrong, ok := errors.AsType[*Error](err); !ok || len([]rune(wrong.Text)) > 80 || len(err.Error()) > 600 {
			t.Errorf("%.40q: %v: want a short *Error", content, err)
		}
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("%.40q: refused after %v", content, took)
		}
	}
	if _, err := ReadFile(filepath.Join(t.TempDir(), "none.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

// FuzzParse: whatever the file, it is a flow that can be carried out in all its forms, or an *Error.
func FuzzParse(f *testing.F) {
	f.Add(small)
	for _, name := range []string{"order", "ride", "reaction", "chain:3", "fan-out:2"} {
		text, err := Source(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	for _, c := range wrongFlows {
		f.Add(strings.Replace(small, c.change[0], c.change[1], 1))
	}
	f.Fuzz(func(t *testing.T, content string) {
		flow, err := Parse("f.yaml", []byte(content))
		if err != nil {
			if _, ok := errors.AsType[*Error](err); !ok {
				t.Fatalf("%v is no *Error", err)
			}
			return
		}
		for _, form := range flow.Forms() {
			p, err := flow.Plan(form)
			if err != nil || len(p.Hops) != len(flow.Rows) {
				t.Fatalf("%s: %v", form, err)
			}
		}
	})
}
