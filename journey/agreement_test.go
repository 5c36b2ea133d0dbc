package journey_test

import (
	"encoding/binary"
	"fmt"
	"testing"

	"tracelab/journey"
	"tracelab/journey/internal/draw"
)

// Where other tools tell the same things of one trace, the answers agree.
func TestAgreesWithOthers(t *testing.T) {
	for _, c := range []struct{ why, drawing, response string }{
		{"Jaeger's critical path: two calls one after the other", "s.C 1-101\n  s.D 20-40\n  s.E 50-60", "s.C[0,19] s.D[19,39] s.C[39,49] s.E[49,59] s.C[59,100]"},
		{"Jaeger's critical path: of two calls side by side the one that ends last", "s.X 1-101\n  s.A 10-50\n  s.C 20-60", "s.X[0,19] s.C[19,59] s.X[59,100]"},
		{"Jaeger's critical path: a child that starts after its parent had ended", "s.A 0-40\n  s.B 60-140", "s.A[0,40]"},
		{"Jaeger's critical path: such a child, and a call of it", "s.A 1-31\n  s.B 40-80\n    s.C 50-60", "s.A[0,30]"},
		{"Jaeger's critical path: what only follows, as a link", "s.A 1-31\ns.B 10-20 link=s.A trace=2", "s.A[0,30]"},
		{"Jaeger's critical path: a child that ended before its parent started", "s.A 10-30\n  s.B 1-5", "s.A[0,20]"},
		{"CRISP: calls in calls", "s.R 0-100\n  s.A 10-90\n    s.B 20-70", "s.R[0,10] s.A[10,20] s.B[20,70] s.A[70,90] s.R[90,100]"},
		{"CRISP: one call after the other, with a pause", "s.R 0-1000\n  s.A 0-400\n  s.B 500-1000", "s.A[0,400] s.R[400,500] s.B[500,1000]"},
		{"CRISP: calls side by side", "s.R 0-1000\n  s.A 0-600\n  s.B 500-1000", "s.R[0,500] s.B[500,1000]"},
		{"CRISP: of calls that end together the one that began last", "s.R 0-1000\n  s.X 500-1000\n    s.XC 500-700\n  s.Y 600-1000\n    s.YC 600-800", "s.R[0,600] s.YC[600,800] s.Y[800,1000]"},
		{"CRISP: a call in the midst of one, and one before it", "s.R 0-1000\n  s.A 0-400\n  s.B 500-1000\n    s.B1 900-1000\n    s.B2 500-800",
			"s.A[0,400] s.R[400,500] s.B2[500,800] s.B[800,900] s.B1[900,1000]"},
		{"CRISP: a long call that works between its own calls", "s.R 0-1000\n  s.A 0-1000\n    s.B 100-300\n    s.C 600-700", "s.A[0,100] s.B[100,300] s.A[300,600] s.C[600,700] s.A[700,1000]"},
		{"CRISP: calls without a pause", "s.R 0-300\n  s.A 0-100\n  s.B 100-200\n  s.C 200-300", "s.A[0,100] s.B[100,200] s.C[200,300]"},
		{"CRISP: no call at all", "s.R 5-15", "s.R[0,10]"},
		{"CRISP: a child that starts before its parent", "s.R 100-1000\n  s.A 0-300", "s.A[0,200] s.R[200,900]"},
		{"CRISP: a child outside of its parent", "s.R 0-100\n  s.A 200-300\n    s.B 250-260", "s.R[0,100]"},
		{"CRISP: a server that ends after its client, one that starts before it, and a call of no length",
			"s.R 0-1000\n  s.A CLIENT 100-600\n    s.S SERVER 105-609\n      s.X 550-609\n  s.Z 700-700\n  s.B CLIENT 750-950\n    s.T SERVER 745-945",
			"s.R[0,100] s.A[100,105] s.S[105,550] s.X[550,600] s.R[600,750] s.T[750,945] s.B[945,950] s.R[950,1000]"},
	} {
		t.Run(c.why, func(t *testing.T) {
			set := newSet(t, c.drawing)
			equalLines(t, "response path", []string{draw.Path(set, rootedAt(set, 0).ResponsePath())}, []string{c.response})
		})
	}
}

// Where other tools tell other things, the reason is one of these. Each of the answers adds up to the caller wait.
func TestDiffersFromOthers(t *testing.T) {
	for _, c := range []struct{ why, drawing, response, completion string }{
		// Jaeger and CRISP cut such a child at its parent's end, and so let the caller wait for it. An answer that was given
		// before the child had ended did not need it: the work goes on beside it, and counts in the completion.
		{"Jaeger's cases 6 and 7, and CRISP's: a child that ends after its parent", "s.A 1-30\n  s.B 15-35\n    s.C 20-40", "s.A[0,29]", "s.A[0,14] s.B[14,19] s.C[19,39]"},
		{"Jaeger's case 8: a child that starts before its parent and ends after it", "s.A 10-30\n  s.B 5-35", "s.A[0,20]", "s.B[0,25]"},
		// CRISP takes the first of two calls off the path when a third begins or ends while they overlap. The tolerance is about
		// clocks, whatever else happens meanwhile.
		{"CRISP: a short call within the tolerated overlap of two others", "s.R 0-1000\n  s.A 0-505\n  s.B 500-1000\n  s.C 502-510", "s.A[0,500] s.B[500,1000]", "s.A[0,500] s.B[500,1000]"},
		// CRISP tolerates less than 1 %, here it is up to 1 %.
		{"CRISP: an overlap of exactly 1 %", "s.R 0-1000\n  s.A 0-510\n  s.B 500-1000", "s.A[0,500] s.B[500,1000]", "s.A[0,500] s.B[500,1000]"},
		// CRISP counts the overlap twice, in both calls: time is not conserved. Here the later call has it.
		{"CRISP: a tolerated overlap", "s.R 0-1000\n  s.A 100-505\n  s.B 500-800", "s.R[0,100] s.A[100,500] s.B[500,800] s.R[800,1000]", "s.R[0,100] s.A[100,500] s.B[500,800] s.R[800,1000]"},
	} {
		t.Run(c.why, func(t *testing.T) {
			set := newSet(t, c.drawing)
			j := rootedAt(set, 0)
			equalLines(t, "response path", []string{draw.Path(set, j.ResponsePath())}, []string{c.response})
			equalLines(t, "completion path", []string{draw.Path(set, j.CompletionPath())}, []string{c.completion})
		})
	}
}

// A request that reads a database and puts a message on RabbitMQ, with spans like those of Tempo's example for service graphs: what
// it logs runs on after it, and the handler's span ends long before the work that it began.
func TestAgreesOnTempoQueue(t *testing.T) {
	set := newSet(t, `
		requester.request CLIENT 0-45.834496
		  server.GET SERVER 1.404672-31.390720
		    server.SELECT CLIENT 2.087936-25.869312
		    server.log CLIENT 31.824896-35.680000
		  requester.publish 37.996544-39.158528
		    requester.send PRODUCER 38.037248-38.106112 messaging.system=rabbitmq
		      recorder.process CONSUMER 47.987712-48.687104 messaging.system=rabbitmq messaging.operation=process
		        recorder.work 48.010240-85.769472
		  requester.log1 CLIENT 39.207936-53.014016
		  requester.log2 CLIENT 45.740544-51.968512`)
	j := rootedAt(set, 1)
	wait, _ := j.CallerWait()
	messages := j.Messages()
	if wait != 45_834_496 || j.Completion() != 85_769_472 || len(messages) != 1 || messages[0].Wait != 9_881_600 {
		t.Errorf("caller wait %v, completion %v, messages %v; want 45.834 ms, 85.769 ms, a queue wait of 9.882 ms", wait, j.Completion(), messages)
	}
	equalLines(t, "completion path", []string{draw.Path(set, j.CompletionPath())}, []string{
		"requester.request[0,1.404672] server.GET[1.404672,2.087936] server.SELECT[2.087936,25.869312] server.GET[25.869312,31.39072] " +
			"requester.request[31.39072,37.996544] requester.publish[37.996544,38.037248] requester.send[38.037248,38.106112] " +
			"~message[38.106112,47.987712] recorder.process[47.987712,48.01024] recorder.work[48.01024,85.769472]"})
}

// An SDK whose starts are whole milliseconds and whose ends are not: of two calls that were awaited one after the other both are
// on the path, though the first seems to run into the second.
func TestStartsOfWholeMilliseconds(t *testing.T) {
	for k := range int64(300) {
		s := func(id uint64, start, end int64) journey.Span {
			x := journey.Span{Name: fmt.Sprint(id), Service: "node", Kind: journey.KindClient, Start: start / 1e6 * 1e6, End: end}
			x.Trace[0] = 1
			binary.BigEndian.PutUint64(x.ID[:], id)
			if id > 1 {
				binary.BigEndian.PutUint64(x.Parent[:], 1)
			}
			return x
		}
		base := draw.Base + k*37_123
		first := 2_000_000 + (k*617_411)%5_000_000
		second := first + 3_000_000 + (k*271_003)%4_000_000
		spans := []journey.Span{s(1, base, base+20_000_000), s(2, base+1_000_000, base+first), s(3, base+first+20_000, base+second)}
		spans[0].Kind = journey.KindServer
		for other := range k % 2 * 30 { // the same service in other traces, and other instances, with ends of whole milliseconds
			x := s(1, base+1e9, (base/1e6+2e3)*1e6)
			x.Start++
			if x.Trace[1] = byte(other) + 1; other%2 == 0 {
				x.Resource = &journey.Resource{InstanceID: fmt.Sprint(other)}
			}
			spans = append(spans, x)
		}
		seen := map[string]bool{}
		set := journey.NewSet(spans)
		for _, g := range set.Journeys()[0].ResponsePath() {
			seen[set.Span(g.Span).Name] = true
		}
		if !seen["2"] || !seen["3"] {
			t.Fatalf("request %d: only %v are on the path", k, seen)
		}
	}
}
