package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/internal/otlp"
	"tracelab/internal/testkit"
	"tracelab/journey"
	"tracelab/lab"
	"tracelab/lab/rundir"
	"tracelab/otelamqp/amqptest"
	"tracelab/services"
	"tracelab/services/flows"
)

// do runs `tracelab run` with one order, of the form grpc, unless the arguments say otherwise, and reads its report.
func do(t *testing.T, args ...string) (lab.Result, int) {
	t.Helper()
	all := []string{"run", "--orders", "1", "--warm-up", "0", "--out", t.TempDir(), "--format", "json"}
	if !slices.Contains(args, "--forms") { // said again, it would add to these
		all = append(all, "--forms", "grpc")
	}
	var out, talk bytes.Buffer
	status := run(t.Context(), append(all, args...), nil, &out, &talk)
	var result lab.Result
	if err := json.Unmarshal(out.Bytes(), &result); err != nil {
		t.Fatalf("%q: exit status %d: %v: %s", args, status, err, talk.String())
	}
	return result, status
}

// spans lists the spans of one form of a run, or of all of it for "".
func spans(t *testing.T, result lab.Result, form services.Form) []journey.Span {
	t.Helper()
	saved, _, err := rundir.Open(result.Dir)
	if err != nil {
		t.Fatal(err)
	}
	all, _, err := saved.Spans()
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(s journey.Span) bool {
		of, ok := s.Attr(services.KeyForm)
		return form != "" && (!ok || of.String() != string(form))
	})
}

// named lists the spans of that name.
func named(all []journey.Span, name string) []journey.Span {
	return slices.DeleteFunc(slices.Clone(all), func(s journey.Span) bool { return s.Name != name })
}

func orders(t *testing.T, result lab.Result) []rundir.Order {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(result.Dir, "orders.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var list []rundir.Order
	for line := range bytes.Lines(text) {
		var o rundir.Order
		if err := json.Unmarshal(line, &o); err != nil {
			t.Fatal(err)
		}
		list = append(list, o)
	}
	return list
}

// TestEveryRunFlagMakesADifference has a case for each flag of `tracelab run`, and fails for a flag that has none.
func TestEveryRunFlagMakesADifference(t *testing.T) {
	cases := map[string]func(*testing.T){
		"forms": func(t *testing.T) {
			result, _ := do(t, "--forms", "rest,hybrid")
			if len(result.Forms) != 2 || result.Forms[services.REST] == nil || result.Forms[services.Hybrid] == nil {
				t.Errorf("forms %v", result.Forms)
			}
		},
		"orders": func(t *testing.T) {
			if result, _ := do(t, "--orders", "3"); result.Forms[services.GRPC].Orders.Placed != 3 {
				t.Errorf("%+v", result.Forms[services.GRPC].Orders)
			}
		},
		"rate": func(t *testing.T) {
			result, _ := do(t, "--orders", "2", "--rate", "20")
			if list := orders(t, result); list[1].Intended.Sub(list[0].Intended) != 50*time.Millisecond || result.Rate != 20 {
				t.Errorf("orders at %v and %v, want 50 ms apart", list[0].Intended, list[1].Intended)
			}
		},
		"surge": func(t *testing.T) {
			result, _ := do(t, "--orders", "4", "--rate", "10", "--surge", "100ms:200ms:5")
			list := orders(t, result)
			if result.Surge != "100ms:200ms:5" || list[1].Intended.Sub(list[0].Intended) != 100*time.Millisecond || list[3].Intended.Sub(list[1].Intended) != 40*time.Millisecond {
				t.Errorf("surge %q, orders at %v, %v, … %v: want the last three 20 ms apart", result.Surge, list[0].Intended, list[1].Intended, list[3].Intended)
			}
		},
		"clients": func(t *testing.T) {
			result, _ := do(t, "--orders", "4", "--clients", "2")
			list := orders(t, result)
			for i, o := range list[2:] { // each begins when one of those before it has its answer
				if first := list[0].Intended.Add(time.Duration(list[0].CallerWait)); i == 0 && o.Intended.Before(first.Add(-20*time.Millisecond)) {
					t.Errorf("the third order begins at %v, before the first has its answer at %v", o.Intended, first)
				}
			}
			if result.Clients != 2 || result.Rate != 0 || result.Generator.Clients != 2 || result.Generator.Rate <= 0 {
				t.Errorf("clients %d, rate %g, generator %+v", result.Clients, result.Rate, result.Generator)
			}
		},
		"think": func(t *testing.T) {
			result, _ := do(t, "--orders", "3", "--clients", "1", "--think", "50ms")
			list := orders(t, result)
			for i, o := range list[1:] {
				if free := list[i].Intended.Add(time.Duration(list[i].CallerWait)); o.Intended.Sub(free) < 50*time.Millisecond {
					t.Errorf("order %d begins %v after the answer before it, want it to think for 50ms", i+1, o.Intended.Sub(free))
				}
			}
			if result.ThinkMS != 50 {
				t.Errorf("the report says that it thinks for %g ms", result.ThinkMS)
			}
		},
		"seed": func(t *testing.T) {
			result, _ := do(t, "--seed", "6")
			longer := 0
			for _, hop := range flows.Order().Rows {
				other, _ := services.Experiment{Seed: 1}.Cost(hop)
				wait, _ := services.Experiment{Seed: 6}.Cost(hop)
				step := named(spans(t, result, services.GRPC), string(hop.Step))[0]
				if took := time.Duration(step.End - step.Start); took < wait {
					t.Errorf("%s took %v; seed 6 makes it wait %v", hop.Step, took, wait)
				}
				if wait > other {
					longer++ // so this would not come of seed 1
				}
			}
			if longer == 0 || result.Seed != 6 || !strings.HasSuffix(result.Dir, "-6") {
				t.Errorf("seed %d in %s; %d steps take longer than with seed 1", result.Seed, result.Dir, longer)
			}
		},
		"flow": func(t *testing.T) {
			result, status := do(t, "--flow", "ride")
			if status != exitDone || result.Flow != "ride" || len(named(spans(t, result, services.GRPC), "tracelab.ride.v1.Driver/Assign")) != 2 {
				t.Errorf("exit status %d, flow %s, problems %q: want a ride whose driver is called", status, result.Flow, result.Problems)
			}
		},
		"link": func(t *testing.T) {
			result, status := do(t, "--orders", "4", "--link", "orders>payment:latency=60ms,to=1m", "--link", "payment>kafka:latency=1ms", "--forms", "grpc,kafka")
			wait := result.Forms[services.GRPC].CallerWait.Median
			if status != exitDone || wait == nil || *wait < 120 || len(result.Links) != 2 || result.LinksUsed[0].Bytes == 0 || result.LinksUsed[1].Bytes == 0 {
				t.Errorf("exit status %d, links %q, %+v, caller wait %v, problems %q", status, result.Links, result.LinksUsed, wait, result.Problems)
			}
		},
		"event": func(t *testing.T) {
			result, status := do(t, "--orders", "20", "--event", "100ms:kill:payment", "--event", "150ms:start:payment")
			f := result.Forms[services.GRPC].Orders
			if status != exitDone || f.Errors == 0 || f.Completed == 0 || len(result.Happened) != 2 || len(result.Explained) == 0 || len(result.Events) != 2 {
				t.Errorf("exit status %d, %+v, happened %+v, problems %q", status, f, result.Happened, result.Problems)
			}
		},
		"store": func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "store")
			for range 2 { // the second run finds what the first one has left
				result, status := do(t, "--forms", "kafka", "--store", file)
				all := spans(t, result, services.Kafka)
				if status != exitDone || result.Stores != "file "+file+", outbox on" || result.Forms[services.Kafka].Orders.Completed != 1 || len(named(all, "create order.placed")) != 1 {
					t.Errorf("exit status %d, stores %s, %+v: want an order that is kept in the file, and its message", status, result.Stores, result.Forms[services.Kafka].Orders)
				}
			}
			if result, _ := do(t); result.Stores != "memory" {
				t.Errorf("without the flag: stores %s", result.Stores)
			}
		},
		"no-outbox": func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "store")
			result, status := do(t, "--forms", "kafka", "--store", file, "--no-outbox")
			if all := spans(t, result, services.Kafka); status != exitDone || result.Stores != "file "+file+", outbox off" || len(named(all, "create order.placed")) != 0 {
				t.Errorf("exit status %d, stores %s: want no message that is made before it is sent", status, result.Stores)
			}
		},
		"instances": func(t *testing.T) {
			result, status := do(t, "--forms", "grpc,kafka", "--orders", "16", "--rate", "400", "--instances", "payment=2")
			for _, form := range []services.Form{services.GRPC, services.Kafka} {
				seen := map[string]bool{}
				for _, s := range named(spans(t, result, form), "payment.Charge") {
					seen[s.Resource.InstanceID] = true
				}
				if len(seen) != 2 {
					t.Errorf("%s: payment has the instances %v, want 2", form, seen)
				}
			}
			if status != exitDone || result.Instances["payment"] != 2 {
				t.Errorf("exit status %d, problems %q, instances %v", status, result.Problems, result.Instances)
			}
		},
		"partitions": func(t *testing.T) {
			for n, most := range map[string]int{"1": 1, "3": 3} {
				result, _ := do(t, "--forms", "kafka", "--orders", "12", "--rate", "400", "--partitions", n)
				seen := map[string]bool{}
				for _, s := range named(spans(t, result, services.Kafka), "process order.placed") {
					id, _ := s.Attr("messaging.destination.partition.id")
					seen[id.String()] = true
				}
				if len(seen) == 0 || len(seen) > most || most > 1 && len(seen) == 1 || result.Partitions != most {
					t.Errorf("--partitions %s: messages of partitions %v, the report says %d", n, seen, result.Partitions)
				}
			}
		},
		"mailbox": func(t *testing.T) {
			result, _ := do(t, "--forms", "ack", "--orders", "4", "--rate", "400", "--mailbox", "1", "--fault", "payment:delay=200ms")
			if a := result.Forms["ack"].Orders; a.Refused == 0 || a.Accepted == 0 {
				t.Errorf("%+v, want orders that find the one place taken", a)
			}
		},
		"relation": func(t *testing.T) {
			for relation, traces := range map[string]int{"both": 1, "parent": 1, "link": 9} {
				result, _ := do(t, "--forms", "kafka", "--relation", relation)
				process := named(spans(t, result, services.Kafka), "process order.placed")[0]
				if got := result.Forms[services.Kafka].Traces; got != traces || result.Relation != relation {
					t.Errorf("%s: %d traces, want %d", relation, got, traces)
				}
				if parent, link := !process.Parent.IsZero(), len(process.Links) > 0; parent != (relation != "link") || link != (relation != "parent") {
					t.Errorf("%s: a parent: %v, a link: %v", relation, parent, link)
				}
			}
		},
		"fault": func(t *testing.T) {
			result, status := do(t, "--orders", "2", "--fault", "payment:error=payment_declined", "--fault", "shipping:delay=1ms")
			if a := result.Forms[services.GRPC].Orders; a.Failed != 2 || a.Errors != 2 || status != exitDone || len(result.Faults) != 2 {
				t.Errorf("exit status %d, faults %q, %+v", status, result.Faults, a)
			}
		},
		"workers": func(t *testing.T) {
			for _, c := range []struct {
				form    services.Form
				workers string
				want    bool
			}{{services.Kafka, "1", false}, {services.Kafka, "32", true}, {services.Kafka, "payment=1", false}, {services.GRPC, "payment=1", false}, {services.GRPC, "1,payment=2", true}} {
				result, _ := do(t, "--forms", string(c.form), "--orders", "4", "--rate", "1000", "--fault", "payment:delay=30ms", "--workers", c.workers)
				workers, want := c.workers, c.want
				charges := named(spans(t, result, c.form), "payment.Charge")
				slices.SortFunc(charges, func(a, b journey.Span) int { return int(a.Start - b.Start) })
				together := false
				for i := range charges[1:] {
					together = together || charges[i+1].Start < charges[i].End
				}
				if together != want {
					t.Errorf("%s, %s workers: payment works on several orders at a time: %v", c.form, workers, together)
				}
				if told := result.WorkersOf["payment"]; (told > 0) != strings.Contains(workers, "payment") {
					t.Errorf("%s workers: the report says %d of payment", workers, told)
				}
			}
		},
		"base": func(t *testing.T) {
			result, _ := do(t, "--forms", "grpc,kafka", "--base", "kafka")
			if c := result.Comparisons; len(c) == 0 || c[0].Base != "kafka" || c[0].Other != "grpc" || result.Base != "kafka" {
				t.Errorf("base %q, comparisons %+v", result.Base, c)
			}
		},
		"warm-up": func(t *testing.T) {
			for count, n := range map[string]int64{"0": 0, "2": 2} {
				result, _ := do(t, "--warm-up", count)
				f := result.Forms[services.GRPC] // without messages no span is shared: what is left is the warm-up's
				left := result.Spans.Started - int64(f.SpanCount)
				windows := int64(result.WarmedUp.Windows)
				if result.Generator.Tried > 0 || result.Generator.Higher > 0 { // on a busy machine another rate is looked for, with more such orders
					left = min(left, n*windows*int64(f.SpanCount))
				}
				if left != n*windows*int64(f.SpanCount) || f.Orders.Placed != 1 || int64(result.WarmUp) != n*windows || (n > 0) != (windows > 1) {
					t.Errorf("%s warm-up orders: %d spans beside the %d of the order, in %d windows", count, left, f.SpanCount, windows)
				}
			}
		},
		"timeout": func(t *testing.T) {
			result, _ := do(t, "--timeout", "50ms", "--fault", "payment:delay=150ms")
			if a := result.Forms[services.GRPC].Orders; a.Unanswered != 1 {
				t.Errorf("%+v, want no answer in time", a)
			}
		},
		"deadline": func(t *testing.T) {
			result, status := do(t, "--forms", "kafka", "--deadline", "50ms", "--fault", "notification:delay=300ms")
			if a := result.Forms[services.Kafka].Orders; a.Pending != 1 || status != exitNotSo || len(result.Problems) == 0 {
				t.Errorf("exit status %d, %+v, problems %q", status, a, result.Problems)
			}
		},
		"no-dedupe": func(t *testing.T) {
			if e, status := effectsOfRepeats(t); e.Twice != 0 || e.Skipped == 0 || status != exitDone {
				t.Errorf("without it a message that came twice gives %+v, exit status %d: want skipped steps, and none done twice", e, status)
			}
			if e, status := effectsOfRepeats(t, "--no-dedupe"); e.Twice == 0 || e.Skipped != 0 || status != exitNotSo {
				t.Errorf("with it a message that came twice gives %+v, exit status %d: want steps done twice, and none skipped", e, status)
			}
		},
		"kafka": func(t *testing.T) { onAnotherKafka(t, false) },
		"rabbitmq": func(t *testing.T) {
			if kind := onRabbitMQ(t); kind != "" {
				t.Errorf("a queue of kind %s is left", kind)
			}
		},
		"classic": func(t *testing.T) {
			for kind, args := range map[string][]string{"quorum": {"--keep"}, "classic": {"--keep", "--classic"}} {
				if got := onRabbitMQ(t, args...); got != kind {
					t.Errorf("%q: queues of kind %q, want %q", args, got, kind)
				}
			}
		},
		"keep":   func(t *testing.T) { onAnotherKafka(t, true, "--keep") },
		"target": func(t *testing.T) { elsewhere(t) },
		"receive-otlp": func(t *testing.T) { // with it: see target
			var out, talk bytes.Buffer
			status := run(t.Context(), []string{"run", "--target", "http://127.0.0.1:1", "--out", t.TempDir()}, nil, &out, &talk)
			if status != exitUsage || !strings.Contains(talk.String(), "--receive-otlp") {
				t.Errorf("exit status %d: %s", status, talk.String())
			}
		},
		"jaeger": func(t *testing.T) { throughJaeger(t) },
		"otlp": func(t *testing.T) {
			if result, came := sendTo(t); came != result.Sent || int64(came) != result.Spans.Exported || came == 0 {
				t.Errorf("%d spans came, %d sent, %d made", came, result.Sent, result.Spans.Exported)
			}
		},
		"sample": func(t *testing.T) {
			if result, came := sendTo(t, "--sample", "0"); came != 0 || result.Forms[services.GRPC].Journeys != 1 {
				t.Errorf("%d spans came of a sample of 0", came)
			}
		},
		"host": func(t *testing.T) {
			result, _ := do(t, "--host", "lab-7")
			for _, s := range spans(t, result, services.GRPC) {
				if s.Resource.HostID != "lab-7" || s.Resource.HostName != "lab-7" {
					t.Errorf("%s of %s: host %q, %q", s.Name, s.Service, s.Resource.HostID, s.Resource.HostName)
				}
			}
		},
		"polls": func(t *testing.T) {
			for _, made := range []bool{false, true} {
				result, _ := do(t, "--forms", "kafka", "--polls="+strconv.FormatBool(made))
				set := journey.NewSet(spans(t, result, ""))
				n := 0
				for i := range journey.Index(set.Len()) { // those that failed have a span either way
					if set.Shared(i) && set.Span(i).Status != journey.StatusError {
						n++
					}
				}
				if (n > 0) != made {
					t.Errorf("--polls=%v: %d spans of polls and commits that did not fail", made, n)
				}
			}
		},
		"headers": func(t *testing.T) {
			for _, kept := range []bool{false, true} {
				result, _ := do(t, "--forms", "kafka", "--headers="+strconv.FormatBool(kept))
				for name, key := range map[string]string{"POST /orders": "http.request.header.traceparent", "send order.placed": "messaging.header.traceparent"} {
					for _, s := range named(spans(t, result, services.Kafka), name) {
						if value, ok := s.Attr(key); ok != kept || kept && !strings.Contains(value.String(), s.Trace.String()) {
							t.Errorf("--headers=%v: %s of %s has %s %v", kept, s.Name, s.Service, key, value)
						}
					}
				}
			}
		},
		"profiles": func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "deep", "down")
			result, _ := do(t, "--profiles", dir)
			p, f := result.Profile, result.Forms[services.GRPC].CPU
			if p == nil || f == nil || p.Samples != f.Samples+p.NoForm.Samples {
				t.Fatalf("profile %+v, of the form %+v", p, f)
			}
			for _, name := range []string{f.File, p.NoForm.File} {
				if file, err := os.Stat(name); err != nil || file.Size() == 0 || filepath.Dir(name) != dir {
					t.Errorf("%s: %v", name, err)
				}
			}
			var out, talk bytes.Buffer
			args := []string{"run", "--target", "http://127.0.0.1:1", "--receive-otlp", "127.0.0.1:0", "--profiles", dir, "--out", t.TempDir()}
			if status := run(t.Context(), args, nil, &out, &talk); status != exitUsage || !strings.Contains(talk.String(), "serve --pyroscope") {
				t.Errorf("with --target: exit status %d: %s", status, talk.String())
			}
		},
		"out": func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "deep", "down")
			if result, _ := do(t, "--out", out); filepath.Dir(result.Dir) != out {
				t.Errorf("written to %s, want it in %s", result.Dir, out)
			}
		},
		"format": func(t *testing.T) {
			var out, talk bytes.Buffer
			run(t.Context(), []string{"run", "--forms", "grpc", "--orders", "1", "--warm-up", "0", "--out", t.TempDir(), "--format", "text"}, nil, &out, &talk)
			if !strings.HasPrefix(out.String(), "1 order of the form grpc") {
				t.Errorf("text: %s", out.String())
			}
		},
	}
	for name, check := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // most of a run is waiting
			check(t)
		})
	}
	everyFlagHasACase(t, "run", cases)
}

// everyFlagHasACase compares the flags in a command's help with the cases that show what each does.
func everyFlagHasACase(t *testing.T, command string, cases map[string]func(*testing.T)) {
	t.Helper()
	var help bytes.Buffer
	run(t.Context(), []string{command, "--help"}, nil, &help, &help)
	for line := range strings.Lines(help.String()) {
		flag, ok := strings.CutPrefix(strings.TrimSpace(line), "--")
		if !ok {
			continue
		}
		flag = flag[:strings.IndexAny(flag+" ", "=[ \n")]
		if cases[flag] == nil && flag != "log-level" { // of all commands
			t.Errorf("no test shows that --%s makes a difference", flag)
		}
	}
}

// onAnotherKafka runs on a broker that the lab did not start, and looks at what is left there.
func onAnotherKafka(t *testing.T, kept bool, args ...string) {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	address := cluster.ListenAddrs()[0]
	result, status := do(t, append(args, "--forms", "kafka", "--kafka", address)...)
	if result.Broker != address || status != exitDone || result.Forms[services.Kafka].Journeys != 1 {
		t.Errorf("exit status %d, broker %s, problems %q", status, result.Broker, result.Problems)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(address))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	topics, err := kadm.NewClient(client).ListTopics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := 0
	if kept {
		want = len(flows.Order().Topics())
	}
	if len(topics) != want {
		t.Errorf("topics left: %q, want %d", topics.Names(), want)
	}
	for _, name := range topics.Names() {
		if !strings.HasPrefix(name, "tracelab."+result.Run+".") {
			t.Errorf("topic %s has not the run's prefix", name)
		}
	}
}

// onRabbitMQ runs orders on a RabbitMQ and returns the kind of the queue that is left there, or nothing.
func onRabbitMQ(t *testing.T, args ...string) string {
	t.Helper()
	broker := &amqptest.Broker{}
	defer broker.Close()
	address, err := broker.Listen()
	if err != nil {
		t.Fatal(err)
	}
	result, status := do(t, append(args, "--forms", "rabbitmq", "--rabbitmq", address)...)
	if f := result.Forms["rabbitmq"]; status != exitDone || f.Journeys != 1 || !strings.Contains(result.Broker, address) {
		t.Errorf("exit status %d, %d journeys, broker %s, problems %q", status, f.Journeys, result.Broker, result.Problems)
	}
	return broker.QueueType("tracelab." + result.Run + ".payment")
}

// effectsOfRepeats runs on a broker on which the first message of each order comes twice, and returns how its steps were handled. The order
// waits for one of its last steps, so that what the copy did is told before the run is over.
func effectsOfRepeats(t *testing.T, args ...string) (e lab.Effects, status int) {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	address := cluster.ListenAddrs()[0]
	ctx, cancel := context.WithCancel(t.Context())
	doubled := make(chan error, 1)
	go func() { doubled <- doubleRecords(ctx, address) }()
	result, status := do(t, append(args, "--forms", "kafka", "--kafka", address, "--fault", "notification:delay=700ms")...)
	cancel()
	if err := <-doubled; err != nil {
		t.Fatal(err)
	}
	return result.Forms[services.Kafka].Effects, status
}

// doubleRecords produces a copy of every order's first message, until the context ends.
func doubleRecords(ctx context.Context, address string) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.ConsumeRegex(), kgo.ConsumeTopics(`.*\.order\.placed$`), kgo.ProducerLinger(0),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()), kgo.MetadataMinAge(10*time.Millisecond), kgo.MetadataMaxAge(20*time.Millisecond))
	if err != nil {
		return err
	}
	defer client.Close()
	for ctx.Err() == nil {
		var errs []error
		client.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
			if slices.ContainsFunc(r.Headers, func(h kgo.RecordHeader) bool { return h.Key == "copy" }) {
				return
			}
			again := &kgo.Record{Topic: r.Topic, Key: r.Key, Value: r.Value, Headers: append(slices.Clone(r.Headers), kgo.RecordHeader{Key: "copy"})}
			errs = append(errs, client.ProduceSync(context.Background(), again).FirstErr())
		})
		if err := errors.Join(errs...); err != nil {
			return err
		}
	}
	return nil
}

// elsewhere drives services that `tracelab serve` runs, and takes their spans.
func elsewhere(t *testing.T) {
	t.Helper()
	otlp := twoFreePorts(t)
	s := start(t, append([]string{"serve", "all", "--otlp", otlp}, anywhere(flows.Order().Services()...)...)...)
	s.await(t, `(?m)^ready: `)
	url := s.url(t, "gateway")
	result, status := do(t, "--target", url, "--receive-otlp", otlp)
	if status != exitDone || result.Target != url || result.Forms[services.GRPC].Journeys != 1 || result.Spans.Started != 1 {
		t.Errorf("exit status %d, target %s, %d spans made here, problems %q", status, result.Target, result.Spans.Started, result.Problems)
	}
	if status := s.end(t); status != exitDone {
		t.Errorf("serve: exit status %d: %s", status, s)
	}
}

// sendTo runs with --otlp and counts what comes there.
func sendTo(t *testing.T, args ...string) (lab.Result, int) {
	t.Helper()
	collector := testkit.NewSpanStore()
	receiver, err := otlp.StartReceiver(otlp.ReceiverConfig{Address: "127.0.0.1:0", Keep: collector.Add, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	overGRPC, _ := receiver.Addresses()
	result, _ := do(t, append(args, "--otlp", overGRPC)...)
	if err := receiver.Close(context.Background()); err != nil {
		t.Error(err)
	}
	return result, len(received(t, collector))
}
