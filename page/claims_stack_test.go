//go:build stack

package page

import (
	"os"
	"strings"
	"testing"
)

// TestClaimOnRealBrokers runs the claim that compares two real brokers from the page.
func TestClaimOnRealBrokers(t *testing.T) {
	kafka, rabbitmq := os.Getenv("KAFKA_ADDR"), os.Getenv("RABBITMQ_ADDR")
	if kafka == "" || rabbitmq == "" {
		t.Fatal("KAFKA_ADDR or RABBITMQ_ADDR is empty: start both with `task kafka` and `task rabbitmq`, and set them to the addresses that these print")
	}
	b := serve(t, nil)
	settings := &b.server.claims.settings
	settings.Kafka, settings.RabbitMQ, settings.Orders = []string{kafka}, []string{rabbitmq}, 10
	b.postDone("/claims/brokers", "do=run")
	b.awaitClaims()
	done := b.server.claims.result("brokers")
	if done == nil || done.Why != "" || done.Word == "" || !strings.Contains(string(done.Report), "<figure>") {
		t.Fatalf("it came to no verdict: %+v", done)
	}
	if strings.Contains(string(done.Report), "experiment done") || strings.Contains(string(done.Report), "start one") { // the names of gates that failed
		t.Errorf("it could not be done: %s", done.Report)
	}
}
