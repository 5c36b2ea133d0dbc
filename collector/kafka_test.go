package collector_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
)

// kafkaExporter is the exporter of kafka.yaml, as far as the tests look at it.
type kafkaExporter struct {
	Brokers []string `yaml:"brokers"`
	Traces  struct {
		Topic    string `yaml:"topic"`
		Encoding string `yaml:"encoding"`
	} `yaml:"traces"`
	Producer struct {
		Acks   string `yaml:"required_acks"`
		Bytes  int    `yaml:"max_message_bytes"`
		Create bool   `yaml:"allow_auto_topic_creation"`
	} `yaml:"producer"`
	Retry struct {
		Elapsed *int `yaml:"max_elapsed_time"`
	} `yaml:"retry_on_failure"`
	Queue struct {
		Storage string `yaml:"storage"`
		Size    int    `yaml:"queue_size"`
		Batch   struct {
			Sizer string `yaml:"sizer"`
			Max   int    `yaml:"max_size"`
		} `yaml:"batch"`
	} `yaml:"sending_queue"`
}

// TestKafkaHasAPipelineOfItsOwn: it gets what Jaeger gets without sampling, and changes nothing else.
func TestKafkaHasAPipelineOfItsOwn(t *testing.T) {
	c, _ := readConfig(t, "collector.yaml")
	kafka, _ := readConfig(t, "kafka.yaml")
	want := c.Service.Pipelines["traces"]
	want.Exporters = []string{"kafka/watch"}
	if diff := cmp.Diff(map[string]pipeline{"traces/kafka": want}, kafka.Service.Pipelines); diff != "" {
		t.Errorf("pipelines (-want +got):\n%s", diff)
	}
}

// TestKafkaLosesNothingThatFitsARecord holds the settings against each other, and the queue against the folder that collector.yaml has.
func TestKafkaLosesNothingThatFitsARecord(t *testing.T) {
	c, base := readConfig(t, "collector.yaml")
	_, text := readConfig(t, "kafka.yaml")
	var file struct {
		Exporters map[string]kafkaExporter `yaml:"exporters"`
	}
	if err := yaml.Unmarshal([]byte(text), &file); err != nil {
		t.Fatal(err)
	}
	e := file.Exporters["kafka/watch"]
	const request = 4194304 // the largest that the receiver of collector.yaml takes
	for _, check := range []struct {
		holds bool
		what  string
	}{
		{slices.Equal(e.Brokers, []string{"${env:COLLECTOR_KAFKA:-kafka:29092}"}), "the broker comes from the environment"},
		{e.Traces.Topic == "${env:COLLECTOR_KAFKA_TOPIC:-otlp_spans}" && e.Traces.Encoding == "otlp_proto", "topic and encoding are those that tracelab watch reads by itself"},
		{e.Producer.Acks == "all" && !e.Producer.Create, "a write is acknowledged by all, to a topic that somebody made on purpose"},
		{e.Queue.Batch.Sizer == "bytes" && e.Queue.Batch.Max >= request, "a span that was taken fits into a batch"},
		{e.Producer.Bytes > e.Queue.Batch.Max, "a batch fits into a record"},
		{strings.Contains(base, "max_recv_msg_size_mib: 4\n") && strings.Contains(base, "max_request_body_size: 4194304\n"), "what the receiver takes is what this test knows"},
		{e.Retry.Elapsed != nil && *e.Retry.Elapsed == 0, "no batch is given up"},
		{e.Queue.Size > 0 && c.Extensions[e.Queue.Storage] != nil, "the queue has a limit and is on disk"},
	} {
		if !check.holds {
			t.Errorf("kafka.yaml: does not hold: %s", check.what)
		}
	}
	for _, m := range regexp.MustCompile(`\$\{env:([A-Z_]+):-([^}]*)\}`).FindAllStringSubmatch(text, -1) {
		if !regexp.MustCompile(`(?m)^#   ` + m[1] + ` +` + regexp.QuoteMeta(m[2]) + ` `).MatchString(text) {
			t.Errorf("the table at the top of kafka.yaml does not say %s %s", m[1], m[2])
		}
	}
}
