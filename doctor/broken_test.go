package doctor_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tracelab/doctor"
	"tracelab/internal/testkit"
)

// breakage is one hop that is broken, and how it must be named.
type breakage struct {
	name string
	odds map[string]odd // how services of the flow mill are started; nil: on the lab that others use, too
	cut  func(*testing.T, *testLab, *doctor.Config)
	want string   // the first broken check
	seen []string // in what was seen
	fix  string   // in what to do
}

// atOnce is how many labs are looked at at the same time: most of it is waiting.
const atOnce = 6

// TestEachBrokenHopIsNamed breaks exactly one hop, and wants the doctor to name that one first.
func TestEachBrokenHopIsNamed(t *testing.T) {
	t.Parallel() // most of it is waiting
	shared := startLab(t)
	slots := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, b := range testkit.Few(8, breakages()) {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			t.Run(b.name, func(t *testing.T) { b.check(t, shared) })
		})
	}
}

func (b breakage) check(t *testing.T, l *testLab) {
	if b.odds != nil {
		l = startFlow(t, ownFlow(t), b.odds)
	}
	config := l.config
	if b.cut != nil {
		b.cut(t, l, &config)
	}
	// A machine that is busy with other things takes longer than the doctor waits. The hop stays broken, so with more time it
	// must be named all the same.
	var wrong []string
	for _, config.Timeout = range []time.Duration{12 * time.Second, 30 * time.Second, time.Minute} {
		report := examine(t, config)
		if wrong = b.misnamed(report); len(wrong) == 0 {
			return
		}
		t.Logf("in %v: %s\n%s", config.Timeout, strings.Join(wrong, "; "), lines(report))
	}
	t.Error(strings.Join(wrong, "; "))
}

// misnamed says what a report has wrong.
func (b breakage) misnamed(report doctor.Report) []string {
	var wrong []string
	if report.FirstBroken == nil || *report.FirstBroken != b.want {
		wrong = append(wrong, fmt.Sprintf("want %s broken first", b.want))
	}
	for _, c := range report.Checks {
		switch {
		case c.Status == doctor.Failed && c.Name == b.want:
			for _, words := range b.seen {
				if !strings.Contains(c.Seen, words) {
					wrong = append(wrong, fmt.Sprintf("seen %q, want %q in it", c.Seen, words))
				}
			}
			if c.Fix == "" || !strings.Contains(c.Fix, b.fix) {
				wrong = append(wrong, fmt.Sprintf("fix %q, want %q in it", c.Fix, b.fix))
			}
		case c.Status == doctor.Failed:
			wrong = append(wrong, fmt.Sprintf("%s is broken, too: %s", c.Name, c.Seen))
		}
	}
	return wrong
}

func breakages() []breakage {
	var all []breakage
	for _, some := range [][]breakage{kafkaBreakages(), serviceBreakages(), otlpBreakages(), collectorBreakages(), traceBreakages(), screenBreakages()} {
		all = append(all, some...)
	}
	return all
}

func serviceBreakages() []breakage {
	return []breakage{
		{name: "the gateway is down", want: "gateway", seen: []string{"/healthz: connection refused"}, fix: "tracelab serve",
			cut: func(t *testing.T, _ *testLab, c *doctor.Config) { c.Gateway = "http://" + nobody(t) }},
		{name: "a page in place of the gateway", want: "gateway", seen: []string{"HTML page"}, fix: "--gateway",
			cut: func(_ *testing.T, l *testLab, c *doctor.Config) { c.Gateway = l.jaeger.url }},
		{name: "a service is down", want: "services", seen: []string{"503", "the gateway waits for sieve"}, fix: "the log of sieve",
			odds: map[string]odd{"sieve": {absent: true}}},
		{name: "a wrong http address", want: "order-walked", seen: []string{"503"}, fix: "sieve",
			odds: map[string]odd{"farm": {http: map[string]string{"sieve": "127.0.0.1:1"}}}},
		{name: "a wrong grpc address", want: "order-rung", seen: []string{"503"}, fix: "sieve",
			odds: map[string]odd{"farm": {grpc: map[string]string{"sieve": "127.0.0.1:1"}}}},
		{name: "a topic that takes no record", want: "order-carried", seen: []string{"stops before sieve.Sift", "group sieve has committed up to 0"}, fix: "the log of sieve",
			odds: map[string]odd{}, cut: func(_ *testing.T, l *testLab, _ *doctor.Config) { refuse(l, "corn.sifted") }},
	}
}

// refuse lets the broker take nothing for a topic.
func refuse(l *testLab, topic string) {
	var id [16]byte
	if info := l.kafka.TopicInfo(topic); info != nil {
		id = info.TopicID
	}
	l.kafka.ControlKey(int16(kmsg.Produce), func(request kmsg.Request) (kmsg.Response, error, bool) {
		l.kafka.KeepControl()
		produce := request.(*kmsg.ProduceRequest)
		response := produce.ResponseKind().(*kmsg.ProduceResponse)
		for _, asked := range produce.Topics {
			if asked.Topic != topic && asked.TopicID != id {
				return nil, nil, false
			}
			refused := kmsg.NewProduceResponseTopic()
			refused.Topic, refused.TopicID = asked.Topic, asked.TopicID
			for _, p := range asked.Partitions {
				one := kmsg.NewProduceResponseTopicPartition()
				one.Partition, one.ErrorCode = p.Partition, kerr.NotEnoughReplicas.Code
				refused.Partitions = append(refused.Partitions, one)
			}
			response.Topics = append(response.Topics, refused)
		}
		return response, nil, true
	})
}
