package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tracelab/journey"
	"tracelab/services"
)

// workFlagCases are of flags that say what the services do.
func workFlagCases() map[string]func(*testing.T) {
	return map[string]func(*testing.T){
		"flow": func(t *testing.T) {
			result, status := do(t, "--flow", "ride")
			if status != exitDone || result.Flow != "ride" || len(named(spans(t, result, services.GRPC), "tracelab.ride.v1.Driver/Assign")) != 2 {
				t.Errorf("exit status %d, flow %s, problems %q: want a ride whose driver is called", status, result.Flow, result.Problems)
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
	}
}

// storeFlagCases are of flags that say what services remember, and where.
func storeFlagCases() map[string]func(*testing.T) {
	return map[string]func(*testing.T){
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
		"no-dedupe": func(t *testing.T) {
			if e, status := effectsOfRepeats(t); e.Twice != 0 || e.Skipped == 0 || status != exitDone {
				t.Errorf("without it a message that came twice gives %+v, exit status %d: want skipped steps, and none done twice", e, status)
			}
			if e, status := effectsOfRepeats(t, "--no-dedupe"); e.Twice == 0 || e.Skipped != 0 || status != exitNotSo {
				t.Errorf("with it a message that came twice gives %+v, exit status %d: want steps done twice, and none skipped", e, status)
			}
		},
	}
}
