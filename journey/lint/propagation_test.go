package lint_test

import (
	"tracelab/journey"
	"tracelab/journey/lint"
)

var propagationCases = []ruleCase{
	{rule: "P01", why: "all parents there", drawing: flow},
	{rule: "P01", why: "one missing", drawing: "root 0-9\n  a 1-2 parent=?", want: "P01"},
	{rule: "P01", why: "polls and commits are left alone", drawing: flow, edit: func(find func(string) span) {
		find("commit").Parent = journey.SpanID{9}
	}},
	{rule: "P01", why: "a cycle is no missing parent", drawing: "a 0-9 parent=b\nb 1-2 parent=a service=a", want: "D04 P02"},

	{rule: "P02", why: "one root for each trace", drawing: flow},
	{rule: "P02", why: "two", drawing: "a 0-9\nb 1-2", want: "P02"},
	{rule: "P02", why: "none", drawing: "a 0-9 parent=?", want: "P01 P02"},
	{rule: "P02", why: "a shared span in the trace is no second root", drawing: `
root 0-9
commit $commit 95-99 service=c`},

	{rule: "P03", why: "a link will do", drawing: "root 0-50\n  s.send $send 10-20\nc.process $process 60-90 service=c trace=2 link=s.send"},
	{rule: "P03", why: "neither parent nor link", drawing: "c.process $process 60-90", want: "P03"},
	{rule: "P03", why: "a poll of its own is left alone", drawing: "poll $poll 60-90 messaging.batch.message_count=0"},

	{rule: "P04", why: "there", drawing: flow},
	{rule: "P04", why: "missing", drawing: flow, edit: func(find func(string) span) { find("poll").Links[0].Span = journey.SpanID{9} }, want: "P04"},
	{rule: "P04", why: "not stored", drawing: flow, edit: func(find func(string) span) { find("poll").Links[0].Span = journey.SpanID{9} }, want: "P04",
		options: []lint.Option{lint.WithLookup(func(journey.Ref) journey.Absence { return journey.AbsenceNotStored })}},

	{rule: "P05", why: "every group got it", drawing: twoGroups},
	{rule: "P05", why: "one did not", drawing: twoGroups, edit: func(find func(string) span) {
		find("d.again").Links[0].Ref = find("s.one").Ref()
		set(find("d.again"), "messaging.kafka.offset", journey.IntValue(7))
	}, want: "P05 P12"},
	{rule: "P05", why: "it was never sent", drawing: twoGroups + "\n  s.failed $send 10-20 error error.type=X", edit: func(find func(string) span) {
		unset(find("s.failed"), "messaging.destination.partition.id", "messaging.kafka.offset")
	}},
	{rule: "P05", why: "a poll shows that it got there", drawing: `
root 0-50
  s.send $send 10-20
poll $poll 50-55 service=c trace=2 link=s.send messaging.batch.message_count=1`},
	{rule: "P05", why: "by way of create spans", drawing: `
root 0-50
  s.one $create 10-11
  s.two $create 10-11
  s.send CLIENT 12-20 link=s.one link=s.two op=send messaging.operation.name=send messaging.system=kafka topic=T messaging.batch.message_count=2
c.work $batch 60-90 service=c trace=2 link=s.one link=s.two messaging.batch.message_count=2`},
	{rule: "P05", why: "one of two create spans", drawing: `
root 0-50
  s.one $create 10-11
  s.two $create 10-11
  s.send CLIENT 12-20 link=s.one link=s.two op=send messaging.operation.name=send messaging.system=kafka topic=T messaging.batch.message_count=2
c.work $process 60-90 service=c trace=2 link=s.one`, want: "P05"},

	{rule: "P06", why: "both sides", drawing: calls},
	{rule: "P06", why: "a client without its server", drawing: calls + "  a.third CLIENT 30-40 server.address=b server.port=80", want: "P06"},
	{rule: "P06", why: "a peer that is not here", drawing: calls + "  a.third CLIENT 30-40 server.address=db server.port=5432"},
	{rule: "P06", why: "a call that never arrived", drawing: calls + "  a.third CLIENT 30-40 server.address=b server.port=80 error"},
	{rule: "P06", why: "a call that was answered with an error", drawing: calls + "  a.third CLIENT 30-40 server.address=b server.port=80 error http.response.status_code=500", want: "P06"},
	{rule: "P06", why: "the server starts a trace of its own: both are reported", drawing: calls + `  a.third CLIENT 30-40 server.address=b server.port=80
b.lost SERVER 31-39 trace=2 server.address=b server.port=80`, want: "P06"},

	{rule: "P07", why: "nothing lost", drawing: flow},
	{rule: "P07", why: "links of a span that has nothing to do with messages", drawing: flow, edit: func(find func(string) span) { find("root").DroppedLinks = 1 }, want: "P07"},
	{rule: "P07", why: "attributes, events, those of links", drawing: flow, edit: func(find func(string) span) {
		find("root").DroppedAttributes = 1
		find("s.send").DroppedEvents = 1
		find("poll").Links[0].DroppedAttributes = 1
	}, want: "P07"},
	{rule: "P07", why: "the store has a warning", drawing: flow, edit: func(find func(string) span) {
		find("root").Warnings = []string{"clock skew adjustment disabled"}
	}, want: "P07"},

	{rule: "P08", why: "all sampled", drawing: flow, edit: flags(0x101, 0x301, 0x301)},
	{rule: "P08", why: "no flags are known", drawing: flow, edit: flags(0x101, 0, 0)},
	{rule: "P08", why: "the parent's are not known", drawing: flow, edit: flags(0, 0x101, 0x301)},
	{rule: "P08", why: "the child is not", drawing: flow, edit: flags(0x101, 0x300, 0x300), want: "P08"},
	{rule: "P08", why: "what the link names is not", drawing: "root 0-50\n  s.send $send 10-20\nc.process $process 60-90 service=c trace=2 link=s.send",
		edit: func(find func(string) span) {
			find("c.process").Flags = 0x101
			find("c.process").Links[0].Flags = 0x300
		}, want: "P08"},

	{rule: "P09", why: "nothing failed", drawing: flow},
	{rule: "P09", why: "behind the message", drawing: flow, edit: func(find func(string) span) {
		find("c.process").Status = journey.StatusError
		set(find("c.process"), "error.type", journey.StringValue("declined"))
	}, want: "P09"},
	{rule: "P09", why: "the caller failed too", drawing: flow, edit: func(find func(string) span) {
		find("root").Status = journey.StatusError
		find("c.process").Status = journey.StatusError
		set(find("c.process"), "error.type", journey.StringValue("declined"))
	}},
	{rule: "P09", why: "a call that failed and was made good", drawing: "r.root 0-9\n  r.a 1-2\n    r.b 1-2 error\n  r.c 3-4"},

	{rule: "P10", why: "in order", drawing: flow},
	{rule: "P10", why: "child before parent", drawing: "r.root 5-9\n  r.a 4-8", want: "P10"},
	{rule: "P10", why: "consumer before producer", drawing: "root 0-50\n  s.send $send 10-20\nc.process $process 6-9 service=c trace=2 link=s.send", want: "P10"},
	{rule: "P10", why: "a poll was opened before", drawing: "root 0-50\n  s.send $send 10-20\npoll $poll 5-55 service=c trace=2 link=s.send messaging.batch.message_count=1"},

	{rule: "P10", why: "a receive span that is a child was opened before", drawing: "root 0-50\n  s.send $send 10-20\n    poll $poll 5-55 service=c", want: "S09"},

	{rule: "P12", why: "once for each group", drawing: twoGroups},
	{rule: "P02", why: "a poll is the root, and its child knows the message", drawing: flow + "c.poll $poll 40-50 trace=5\n  c.other $process 51-52 link=s.send group=h", want: "S08"},
	{rule: "P03", why: "a receive span without a link, whose child has one", drawing: flow + "h.poll CONSUMER 40-50 trace=5\n  h.other $process 45-52 link=s.send group=h", want: "M01"},
	{rule: "P13", why: "traceparent twice", drawing: "a SERVER 0-9 http.request.header.traceparent=00-1,00-2", want: "P13"},
	{rule: "P13", why: "traceparent once", drawing: "a SERVER 0-9 http.request.header.traceparent=00-1"},
	{rule: "P14", why: "two services without kinds", drawing: "a.s SERVER 0-9\n  a.x 1-8\n    b.y 2-7", want: "P14"},
	{rule: "P14", why: "within a service", drawing: "a.s SERVER 0-9\n  a.x 1-8\n    a.y 2-7"},
	{rule: "P14", why: "a call", drawing: "a.s SERVER 0-9\n  a.x CLIENT 1-8\n    b.y SERVER 2-7"},
	{rule: "M05b", why: "a span without a kind handles the message", drawing: "s.s SERVER 0-9\n  s.send $send 1-8\n    b.y 12-17", want: "M05b"},
	{rule: "M05b", why: "a broker that is called", drawing: "s.s SERVER 0-9\n  s.send $send 1-8\n    b.y SERVER 2-7"},
	{rule: "D02", why: "one id twice", drawing: "a.s SERVER 0-9\n  a.x 1-8 id=00000000000000aa\n  a.y 2-7 id=00000000000000aa", want: "D02"},
	{rule: "D02", why: "one id of both halves of a call", drawing: "a.s CLIENT 0-9 id=00000000000000aa\nb.y SERVER 2-7 id=00000000000000aa"},
	{rule: "D03", why: "ended before it started", drawing: "a.s SERVER 0-9\n  a.x 4-2", want: "D03"},
	{rule: "D03", why: "no length", drawing: "a.s SERVER 0-9\n  a.x 4-4"},
	{rule: "D10", why: "none", drawing: flow},
	{rule: "D04", why: "none", drawing: flow},
	{rule: "D04", why: "its own parent", drawing: "a.s SERVER 0-9\n  a.x 1-2 parent=a.x", want: "D04"},
	{rule: "D10", why: "two receive spans that link to each other", drawing: "a.s SERVER 0-9\n  a.p $send 1-2\na.r $poll 3-9 link=a.q trace=2\na.q $poll 3.5-8 link=a.r trace=2", want: "D10 P05 S08"},
	{rule: "D13", why: "half an id", drawing: "a.s SERVER 0-9\n  a.x CLIENT 1-8\n    b.y SERVER 2-7", edit: func(find func(string) span) {
		find("a.s").Trace[0], find("a.x").Trace[0] = 7, 7
	}, want: "D13"},
	{rule: "D13", why: "a whole id", drawing: "a.s SERVER 0-9\n  a.x CLIENT 1-8\n    b.y SERVER 2-7"},
	{rule: "P12", why: "again after a failure: advice", drawing: flow + "c.again $process 160-190 service=c trace=4 link=s.send", edit: func(find func(string) span) {
		set(find("c.process"), "error.type", journey.StringValue("x"))
	}, want: "P12"},
	{rule: "P12", why: "twice", drawing: flow + "c.again $process 160-190 service=c trace=4 link=s.send", want: "P12"},
	{rule: "P12", why: "two messages with one custom creation context", drawing: `
root SERVER 0-50
  s.send $csend 10-20 link=root
  s.send2 $csend 10-20 link=root
  c.process $process 60-90 service=c link=root
  c.process2 $process 60-90 service=c link=root`, edit: func(find func(string) span) {
		set(find("s.send2"), "messaging.kafka.offset", journey.IntValue(8))
		set(find("c.process2"), "messaging.kafka.offset", journey.IntValue(8))
	}},
	{rule: "P12", why: "two instrumentations see one processing", drawing: flow + "c.inner $process 65-90 service=c trace=1 parent=c.process link=s.send"},
}

// flags sets the flags of root, send and process span.
func flags(root, send, process uint32) func(func(string) span) {
	return func(find func(string) span) {
		find("root").Flags, find("s.send").Flags, find("c.process").Flags = root, send, process
	}
}

// twoGroups is two messages, each consumed by groups g and h.
const twoGroups = `
c.one $process 60-90 service=c trace=2 link=s.one
c.two $process 60-90 service=c trace=3 link=s.two messaging.kafka.offset=8
d.one CONSUMER 60-90 service=d trace=4 link=s.one group=h op=process messaging.operation.name=process messaging.system=kafka topic=T messaging.destination.partition.id=3 messaging.kafka.offset=7
d.again CONSUMER 60-90 service=d trace=5 link=s.two group=h op=process messaging.operation.name=process messaging.system=kafka topic=T messaging.destination.partition.id=3 messaging.kafka.offset=8
root 0-50 trace=1
  s.one $send 10-20
  s.two $send 10-20 messaging.kafka.offset=8`

// calls is two calls to one server.
const calls = `
root 0-50
  a.first CLIENT 0-10 server.address=b server.port=80
    b.first SERVER 1-9
  a.second CLIENT 10-20 server.address=b server.port=80
    b.second SERVER 11-19
`
