package interop

import (
	"path/filepath"
	"testing"
	"time"

	"tracelab/journey"
	"tracelab/journey/source"
)

// wanted is what the spans of one instrumentation must show. Names have "orders" in the place of the topic.
type wanted struct {
	instrumentation, way string // way is how billing takes the order

	relation string   // of billing's span to shop's: parent, link, or both
	consumer string   // the name of billing's span
	findings []string // of lint: the rule, the service and the span's name
	warnings []string // of the journey: their rules

	apart    bool          // billing's work hangs below a poll that refers to nothing: it is beside the paths
	recorded time.Duration // the queue wait that was made for the spans of testdata/spans
}

// M10 and M12 say what kafkajs does not know of itself: its group, and the offset on a send. M11 says that it leaves the partition of a send to
// the client, and S09 that a parent without a link ties its spans. The poll of a batch links to nothing (S08), so the poll and the work below it
// are beside the paths (P02 of the journey); its process spans link to the orders and lose nothing at the hop.
func kafkaJS() []wanted {
	return []wanted{
		{instrumentation: "kafkajs", way: "eachMessage", relation: "parent", consumer: "process orders", recorded: 544666 * time.Microsecond, findings: []string{
			"M10 billing: process orders",
			"M11 shop: send orders",
			"M12 shop: send orders",
			"S09 billing: process orders",
		}},
		{instrumentation: "kafkajs", way: "eachBatch", relation: "link", consumer: "process orders", recorded: 369386 * time.Microsecond, apart: true, warnings: []string{"P02"}, findings: []string{
			"M10 billing: poll orders", "M10 billing: process orders",
			"M11 shop: send orders",
			"M12 shop: send orders",
			"S08 billing: poll orders",
		}},
	}
}

// aiokafka names spans the other way round (M04), makes receive spans of kind CONSUMER (M05), says publish for send (M03), and has an old name
// of the offset (M00). Its send span ends before the record is sent, so no offset is on it (M12).
func aioKafka() []wanted {
	each := []string{
		"M00 billing: orders receive",
		"M03 shop: orders send",
		"M04 billing: orders receive", "M04 shop: orders send",
		"M05 billing: orders receive",
		"M12 shop: orders send",
		"S09 billing: orders receive",
	}
	return []wanted{
		{instrumentation: "aiokafka", way: "getone", relation: "parent", consumer: "orders receive", recorded: 313010 * time.Microsecond, findings: each},
		// Two spans more, of the poll and of its topic: the first names no destination, and neither links to the order.
		{instrumentation: "aiokafka", way: "getmany", relation: "parent", consumer: "orders receive", recorded: 303045 * time.Microsecond, findings: append([]string{
			"M04 billing: orders receive", "M04 billing: orders receive",
			"M05 billing: orders receive", "M05 billing: orders receive",
			"M06 billing: orders receive",
			"S08 billing: orders receive", "S08 billing: orders receive",
		}, each...)},
	}
}

// confluent-kafka's names are of the conventions before 1.17 (M00), and its spans know neither group nor offset (M10, M12), nor, on a send and
// where records are consumed in batches, the partition (M11). The process span, which links to the order, has a parent "recv", a root without any
// attribute (M01) that is beside the paths (P02 of the journey). The send span ends before the broker acknowledges the record.
func confluentKafka() []wanted {
	findings := []string{
		"M00 billing: orders process", "M00 shop: orders send",
		"M01 billing: recv",
		"M10 billing: orders process",
		"M11 shop: orders send",
		"M12 billing: orders process", "M12 shop: orders send",
	}
	warnings := []string{"P02"}
	return []wanted{
		{instrumentation: "confluent-kafka", way: "poll", relation: "link", consumer: "orders process", recorded: 305040 * time.Microsecond, findings: findings, warnings: warnings},
		{instrumentation: "confluent-kafka", way: "consume", relation: "link", consumer: "orders process", recorded: 358384 * time.Microsecond, warnings: warnings,
			findings: append([]string{"M11 billing: orders process"}, findings...)},
	}
}

// pika's names are of the conventions before 1.17 (M00). A blocking channel has two send spans for a message, one in the other.
func pika() []wanted {
	findings := []string{
		"M00 billing: orders receive", "M00 shop: orders send", "M00 shop: orders send",
		"S09 billing: orders receive",
	}
	return []wanted{
		{instrumentation: "pika", way: "callback", relation: "parent", consumer: "orders receive", recorded: 304216 * time.Microsecond, findings: findings},
		{instrumentation: "pika", way: "generator", relation: "parent", consumer: "orders receive", recorded: 301906 * time.Microsecond, findings: findings},
	}
}

// TestRecorded judges spans that these instrumentations made once, so that a change of the judge shows without a broker.
func TestRecorded(t *testing.T) {
	for _, all := range [][]wanted{kafkaJS(), aioKafka(), confluentKafka(), pika()} {
		for _, w := range all {
			t.Run(w.instrumentation+"-"+w.way, func(t *testing.T) {
				judge(t, read(t, filepath.Join("testdata", "spans", w.instrumentation+"-"+w.way+".jsonl")), "orders", w.recorded, w)
			})
		}
	}
}

func read(t *testing.T, file string) *journey.Set {
	t.Helper()
	result, err := source.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range result.Warnings {
		t.Errorf("reading the spans: %v", w)
	}
	return journey.NewSet(result.Spans)
}
