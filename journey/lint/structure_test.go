package lint_test

import "tracelab/journey"

var structureCases = []ruleCase{
	{rule: "S01", why: "the consumer knows its origin", drawing: flow},
	{rule: "S01", why: "the very record was sent here, and its consumer knows nothing", drawing: `
root 0-50
  s.send $send 10-20
c.process $process 60-90 service=c trace=2`, want: "P03 S01"},
	{rule: "S01", why: "another record", drawing: `
root 0-50
  s.send $send 10-20
c.process $process 60-90 service=c trace=2`, edit: func(find func(string) span) {
		set(find("c.process"), "messaging.kafka.offset", journey.IntValue(8))
	}, want: "P03 P05"},
	{rule: "S01", why: "two runs with the same positions: nobody can tell", drawing: `
root 0-50
  s.send $send 10-20
  s.again $send 30-40
c.process $process 60-90 service=c trace=2`, want: "P03"},
	{rule: "S01", why: "known by way of the receive span", drawing: `
root 0-50
  s.send $send 10-20
    c.receive $poll 30-60 service=c link=s.send messaging.destination.partition.id=3 messaging.kafka.offset=7
      c.process $process 60-90 service=c`, want: "S08"},

	{rule: "S07", why: "receive spans of one poll end together, and the next starts later", drawing: `
root 0-50
  s.one $send 10-20
  s.two $send 10-20 messaging.kafka.offset=8
  s.three $send 10-20 messaging.kafka.offset=9
r1 $poll 50-60 service=c trace=2 link=s.one messaging.destination.partition.id=3 messaging.kafka.offset=7
r2 $poll 50-60.1 service=c trace=3 link=s.two messaging.destination.partition.id=3 messaging.kafka.offset=8
r3 $poll 60.1-70 service=c trace=4 link=s.three messaging.destination.partition.id=3 messaging.kafka.offset=9`},
	{rule: "S07", why: "one was open while an earlier record was returned", drawing: `
root 0-50
  s.one $send 10-20
  s.two $send 10-20 messaging.kafka.offset=8
r1 $poll 50-60 service=c trace=2 link=s.one messaging.destination.partition.id=3 messaging.kafka.offset=7
r2 $poll 50-95 service=c trace=3 link=s.two messaging.destination.partition.id=3 messaging.kafka.offset=8`, want: "S07"},
	{rule: "S07", why: "one starts before the poll span of its record", drawing: `
root 0-50
  s.one $send 10-20
r1 $poll 50-60 service=c trace=2 link=s.one messaging.destination.partition.id=3 messaging.kafka.offset=7
poll $poll 55-60 service=c trace=3 link=s.one messaging.batch.message_count=1`, want: "S07"},

	{rule: "S08", why: "linked", drawing: flow},
	{rule: "S08", why: "relation link: a trace of its own", drawing: `
root 0-50
  s.send $send 10-20
c.process $process 60-90 service=c trace=2 link=s.send`},
	{rule: "S08", why: "linked to something else only", drawing: `
root SERVER 0-50
  s.send $send 10-20
c.scope SERVER 55-99 service=c trace=2
  c.process $process 60-90 service=c link=c.scope`, want: "S01 S08"},
	{rule: "S08", why: "a poll without a link", drawing: flow, edit: func(find func(string) span) { find("poll").Links = nil }, want: "S08"},
	{rule: "S08", why: "an empty poll", drawing: flow, edit: func(find func(string) span) {
		find("poll").Links = nil
		set(find("poll"), "messaging.batch.message_count", journey.IntValue(0))
	}},
	{rule: "S08", why: "a batch of three with two links", drawing: batch, edit: func(find func(string) span) {
		set(find("c.work"), "messaging.batch.message_count", journey.IntValue(3))
	}, want: "S08"},
	{rule: "S08", why: "the same link twice", drawing: batch, edit: func(find func(string) span) {
		w := find("c.work")
		w.Links[1] = w.Links[0]
	}, want: "P05 S08"},

	{rule: "S09", why: "relation both", drawing: flow},
	{rule: "S09", why: "relation parent: this and nothing else", drawing: flow, edit: func(find func(string) span) { find("c.process").Links = nil }, want: "S09"},
	{rule: "S09", why: "parent of a batch", drawing: `
root 0-50
  s.one $send 10-20
    c.work $batch 60-90 service=c link=s.one link=s.two messaging.batch.message_count=2
  s.two $send 10-20 messaging.kafka.offset=8`, want: "S09"},
	{rule: "S09", why: "a missing parent in the same process is no creation context", drawing: `
root 0-50
  s.send $send 10-20
c.process $process 60-90 service=c trace=2 parent=? link=s.send`, edit: func(find func(string) span) { find("c.process").Flags = 0x100 }, want: "P01 P02"},

	{rule: "S13", why: "a send span's", drawing: flow},
	{rule: "S13", why: "a server's", drawing: `
root SERVER 0-50
  s.send $send 10-20
  c.process $process 60-90 service=c link=root`, want: "S13"},
	{rule: "S13", why: "by the parent alone", drawing: "root SERVER 0-50\n  c.process $process 60-90 service=c", want: "S13 S09"},
	{rule: "S13", why: "a send span that makes a context of its own gives leave to nobody", drawing: `
root SERVER 0-50
  s.send $send 10-20 link=root
c.process $process 60-90 service=c trace=2 link=root`, want: "S13"},
	{rule: "S13", why: "by a link alone", drawing: `
root SERVER 0-50
c.process $process 60-90 service=c trace=2 link=root`, want: "S13"},
	{rule: "S13", why: "a custom creation context", drawing: `
root SERVER 0-50
  s.send $csend 10-20 link=root
  c.process $process 60-90 service=c link=root`},
	{rule: "S13", why: "the scope of the consumer", drawing: `
root SERVER 0-50
  s.send $send 10-20
scope SERVER 55-99 trace=2
c.process $process 60-90 service=c trace=1 parent=s.send link=s.send link=scope`},

	{rule: "S14", why: "all there", drawing: batch},
	{rule: "S14", why: "dropped by the SDK", drawing: batch, edit: func(find func(string) span) {
		find("c.work").DroppedLinks = 3
		set(find("c.work"), "messaging.batch.message_count", journey.IntValue(5))
	}, want: "S14"},
	{rule: "S14", why: "left out by otelkgo", drawing: batch, edit: func(find func(string) span) {
		set(find("c.work"), "otelkgo.links.omitted", journey.IntValue(3))
		set(find("c.work"), "messaging.batch.message_count", journey.IntValue(5))
	}, want: "S14"},
	{rule: "S14", why: "left out by otelamqp", drawing: batch, edit: func(find func(string) span) {
		set(find("c.work"), "otelamqp.links.omitted", journey.IntValue(3))
		set(find("c.work"), "messaging.batch.message_count", journey.IntValue(5))
	}, want: "S14"},
}
