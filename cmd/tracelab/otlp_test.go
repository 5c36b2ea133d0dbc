package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"testing"

	"tracelab/internal/otlp"
	"tracelab/internal/testkit"
	"tracelab/lab"
)

// TestOTLPFromTheEnvironment names the endpoint and its protocol with the standard variables alone.
func TestOTLPFromTheEnvironment(t *testing.T) {
	for _, c := range []struct{ name, variable, protocol, value string }{
		{"grpc", "OTEL_EXPORTER_OTLP_ENDPOINT", "", ""},
		{"http", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"},
		{"traces over http", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"},
	} {
		t.Run(c.name, func(t *testing.T) {
			collector := testkit.NewSpanStore()
			receiver, err := otlp.StartReceiver(otlp.ReceiverConfig{Address: "127.0.0.1:0", Keep: collector.Add, Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			overGRPC, overHTTP := receiver.Addresses()
			endpoint := "http://" + overGRPC
			if c.protocol != "" {
				t.Setenv(c.protocol, c.value)
				endpoint = "http://" + overHTTP
			}
			if c.variable == "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" {
				endpoint += "/v1/traces" // this one is taken as it is
			}
			t.Setenv(c.variable, endpoint)
			var out, talk bytes.Buffer
			args := []string{"run", "--orders", "1", "--warm-up", "0", "--forms", "grpc", "--format", "json", "--out", t.TempDir()}
			if status := run(t.Context(), args, nil, &out, &talk); status != exitDone {
				t.Fatalf("exit status %d: %s%s", status, out.String(), talk.String())
			}
			var result lab.Result
			if err := json.Unmarshal(out.Bytes(), &result); err != nil {
				t.Fatal(err)
			}
			if came := len(received(t, collector)); came != result.Sent || came == 0 || int64(came) != result.Spans.Exported {
				t.Errorf("%d spans came, %d were sent, %d made", came, result.Sent, result.Spans.Exported)
			}
			if err := receiver.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}
