package lint_test

import "tracelab/journey"

var messagingCases = []ruleCase{
	{rule: "M00", why: "present names", drawing: flow},
	{rule: "M00", why: "names of 2023, as kotel writes them: one finding for each span, none of M02 to M05",
		drawing: `
root SERVER 0-50
  s.send PRODUCER 10-20 span.name=T_publish messaging.system=kafka messaging.operation=publish messaging.destination.name=T messaging.destination.kind=topic messaging.kafka.destination.partition=3 messaging.kafka.message.offset=7
    c.process CONSUMER 60-90 link=s.send span.name=T_process messaging.system=kafka messaging.operation=process messaging.source.name=T messaging.kafka.consumer.group=g messaging.kafka.source.partition=3 messaging.kafka.message.offset=7`,
		want: "M00"},
	{rule: "M00", why: "old and present names side by side, for a transition",
		drawing: flow, edit: func(find func(string) span) {
			set(find("c.process"), "messaging.kafka.message.offset", journey.IntValue(7))
			set(find("c.process"), "messaging.kafka.consumer.group", journey.StringValue("g"))
		}},
	{rule: "M00", why: "one name of 1.26 among present ones",
		drawing: flow, edit: func(find func(string) span) {
			unset(find("c.process"), "messaging.kafka.offset")
			set(find("c.process"), "messaging.kafka.message.offset", journey.IntValue(7))
		}, want: "M00"},
	{rule: "M00", why: "nothing old but the form of the name",
		drawing: "root 0-9\n  s PRODUCER 1-2 span.name=T_publish messaging.system=kafka messaging.destination.name=T messaging.destination.partition.id=1 messaging.kafka.offset=1",
		want:    "M00"},

	{rule: "M01", why: "kafka", drawing: flow},
	{rule: "M01", why: "missing", drawing: flow, edit: func(find func(string) span) { unset(find("s.send"), "messaging.system") }, want: "M01"},
	{rule: "M01", why: "not kafka on Kafka", drawing: flow, edit: func(find func(string) span) { set(find("s.send"), "messaging.system", journey.StringValue("redpanda")) }, want: "M01"},
	{rule: "M01", why: "another system", drawing: "root 0-9\n  s PRODUCER 1-2 op=send messaging.operation.name=send messaging.destination.name=Q messaging.system=rabbitmq"},
	{rule: "M01", why: "kind alone: one finding, not six", drawing: "root 0-9\n  s PRODUCER 1-2", want: "M01"},

	{rule: "M02", why: "named", drawing: flow},
	{rule: "M02", why: "missing", drawing: flow, edit: func(find func(string) span) { unset(find("s.send"), "messaging.operation.name") }, want: "M02"},

	{rule: "M03", why: "all types", drawing: flow},
	{rule: "M03", why: "missing", drawing: flow, edit: func(find func(string) span) { unset(find("c.process"), "messaging.operation.type") }, want: "M03"},
	{rule: "M03", why: "publish", drawing: flow, edit: func(find func(string) span) {
		set(find("s.send"), "messaging.operation.type", journey.StringValue("publish"))
	}, want: "M03"},
	{rule: "M03", why: "deliver", drawing: flow, edit: func(find func(string) span) {
		set(find("c.process"), "messaging.operation.type", journey.StringValue("deliver"))
	}, want: "M03"},
	{rule: "M03", why: "commit is no receive", drawing: flow, edit: func(find func(string) span) {
		set(find("commit"), "messaging.operation.type", journey.StringValue("process"))
	}, want: "P03 M03"},
	{rule: "M03", why: "a word of its own for the operation, a kind of the other direction",
		drawing: "root 0-9\n  s CONSUMER 1-2 op=send messaging.operation.name=emit messaging.destination.name=Q messaging.system=rabbitmq", want: "M03"},
	{rule: "M03", why: "a type of its own is allowed",
		drawing: "root 0-9\n  s CLIENT 1-2 op=subscribe messaging.operation.name=subscribe messaging.destination.name=Q messaging.system=rabbitmq"},

	{rule: "M04", why: "operation and destination", drawing: flow},
	{rule: "M04", why: "the other way round", drawing: flow, edit: func(find func(string) span) { set(find("s.send"), "span.name", journey.StringValue("T_send")) }, want: "M04"},
	{rule: "M04", why: "the template goes before the name", drawing: flow, edit: func(find func(string) span) {
		set(find("s.send"), "messaging.destination.template", journey.StringValue("{run}.T"))
		set(find("s.send"), "span.name", journey.StringValue("send_{run}.T"))
	}},
	{rule: "M04", why: "the name in spite of a template", drawing: flow, edit: func(find func(string) span) {
		set(find("s.send"), "messaging.destination.template", journey.StringValue("{run}.T"))
	}, want: "M04"},
	{rule: "M04", why: "an anonymous destination has no part in the name",
		drawing: "root 0-9\n  s PRODUCER 1-2 op=send span.name=send messaging.operation.name=send messaging.destination.name=x7 messaging.destination.anonymous=true messaging.system=rabbitmq"},

	{rule: "M05", why: "every operation", drawing: flow},
	{rule: "M05", why: "send CLIENT makes the creation context itself", drawing: flow, edit: func(find func(string) span) { find("s.send").Kind = journey.KindClient }, want: "M05"},
	{rule: "M05", why: "send CLIENT beside a create span", drawing: `
root 0-50
  s.create $create 10-11
    c.process $process 60-90 service=c link=s.create
  s.send $csend 12-20 link=s.create`},
	{rule: "M05", why: "send PRODUCER beside a create span", drawing: `
root 0-50
  s.create $create 10-11
    c.process $process 60-90 service=c link=s.create
  s.send $send 12-20 link=s.create`, want: "M05"},
	{rule: "M05", why: "send CLIENT with a context that was stored with the message", drawing: `
root SERVER 0-50
  c.process $process 160-190 service=c link=root
relay.work 100-150 trace=2
  relay.send $csend 112-120 link=root`},
	{rule: "M05", why: "a retry links to the create span of the record before and makes a new message", drawing: `
root 0-50
  s.create $create 10-11
    c.process $process 60-90 service=c link=s.create
      c.retry PRODUCER 70-80 link=s.create op=send messaging.operation.name=send messaging.system=kafka topic=R messaging.destination.partition.id=3 messaging.kafka.offset=8
  s.send $csend 12-20 link=s.create`},
	{rule: "M05", why: "the consumer was given the send span's context, not that of the create span", drawing: `
root 0-50
  s.create $create 10-11
  s.send $send 12-20 link=s.create
    c.process $process 60-90 service=c link=s.send`},
	{rule: "M05", why: "poll CONSUMER", drawing: flow, edit: func(find func(string) span) { find("poll").Kind = journey.KindConsumer }, want: "M05"},
	{rule: "M05", why: "process INTERNAL", drawing: flow, edit: func(find func(string) span) { find("c.process").Kind = journey.KindInternal }, want: "M05"},
	{rule: "M05", why: "commit CONSUMER", drawing: flow, edit: func(find func(string) span) { find("commit").Kind = journey.KindConsumer }, want: "M05"},

	{rule: "M06", why: "given", drawing: flow},
	{rule: "M06", why: "missing on a single message", drawing: flow, edit: func(find func(string) span) { unset(find("s.send"), "messaging.destination.name") }, want: "M06"},
	{rule: "M06", why: "a batch over two topics has none", drawing: twoTopics("$batch"), edit: func(find func(string) span) {
		unset(find("work"), "messaging.destination.name")
	}},
	{rule: "M06", why: "a batch of one topic has one", drawing: batch, edit: func(find func(string) span) {
		unset(find("c.work"), "messaging.destination.name")
	}, want: "M06"},
	{rule: "M06", why: "a poll over two topics is two spans", drawing: twoTopics("$poll"), edit: func(find func(string) span) {
		unset(find("work"), "messaging.destination.name")
	}, want: "M06"},
	{rule: "M06", why: "the link says the topic", drawing: batch, edit: func(find func(string) span) {
		w := find("c.work")
		unset(w, "messaging.destination.name")
		for i, topic := range []string{"T", "U"} {
			w.Links[i].Attributes = append(w.Links[i].Attributes, journey.Attribute{Key: "messaging.destination.name", Value: journey.StringValue(topic)})
		}
	}},

	{rule: "M08", why: "a batch with its count", drawing: batch},
	{rule: "M08", why: "a batch without", drawing: batch, edit: func(find func(string) span) { unset(find("c.work"), "messaging.batch.message_count") }, want: "M08"},
	{rule: "M08", why: "one process with a count", drawing: flow, edit: func(find func(string) span) {
		set(find("c.process"), "messaging.batch.message_count", journey.IntValue(1))
	}, want: "M08"},
	{rule: "M08", why: "one send with a count", drawing: flow, edit: func(find func(string) span) {
		set(find("s.send"), "messaging.batch.message_count", journey.IntValue(1))
	}, want: "M08"},
	{rule: "M08", why: "receive and settle may count to one", drawing: flow, edit: func(find func(string) span) {
		set(find("commit"), "messaging.batch.message_count", journey.IntValue(1))
	}},
	{rule: "M08", why: "a batch that happens to have one message", drawing: `
root 0-50
  s.create $create 10-11
  s.send CLIENT 12-20 link=s.create op=send messaging.operation.name=send messaging.system=kafka topic=T messaging.batch.message_count=1
c.work $batch 60-90 service=c trace=2 link=s.create messaging.batch.message_count=1`},
	{rule: "M08", why: "a batch send without", drawing: `
root 0-50
  s.one $create 10-11
  s.two $create 10-11
  s.send CLIENT 12-20 link=s.one link=s.two op=send messaging.operation.name=send messaging.system=kafka topic=T`, want: "M08"},

	{rule: "M09", why: "failed, with its type", drawing: flow, edit: func(find func(string) span) {
		find("commit").Status = journey.StatusError
		set(find("commit"), "error.type", journey.StringValue("REBALANCE_IN_PROGRESS"))
	}},
	{rule: "M09", why: "failed, without", drawing: flow, edit: func(find func(string) span) { find("commit").Status = journey.StatusError }, want: "M09"},
	{rule: "M09", why: "OK", drawing: flow, edit: func(find func(string) span) { find("commit").Status = journey.StatusOK }, want: "M09"},

	{rule: "M10", why: "all have it", drawing: flow},
	{rule: "M10", why: "a commit without", drawing: flow, edit: func(find func(string) span) { unset(find("commit"), "messaging.consumer.group.name") }, want: "M10"},
	{rule: "M10", why: "other systems have no groups",
		drawing: "root 0-9\n  s PRODUCER 1-2 op=send messaging.operation.name=send messaging.destination.name=Q messaging.system=rabbitmq\n    c CONSUMER 3-4 link=s op=process messaging.operation.name=process messaging.destination.name=Q messaging.system=rabbitmq"},

	{rule: "M11", why: "given", drawing: flow},
	{rule: "M11", why: "missing", drawing: flow, edit: func(find func(string) span) { unset(find("c.process"), "messaging.destination.partition.id") }, want: "M11"},
	{rule: "M11", why: "a number", drawing: flow, edit: func(find func(string) span) {
		set(find("c.process"), "messaging.destination.partition.id", journey.IntValue(3))
	}, want: "M11"},
	{rule: "M11", why: "a send that failed has none", drawing: "root 0-9\n  s.send $send 1-2 error error.type=X", edit: func(find func(string) span) {
		unset(find("s.send"), "messaging.destination.partition.id", "messaging.kafka.offset")
	}},

	{rule: "M12", why: "given", drawing: flow},
	{rule: "M12", why: "missing", drawing: flow, edit: func(find func(string) span) { unset(find("s.send"), "messaging.kafka.offset") }, want: "M12"},

	{rule: "M13", why: "a record without a key", drawing: flow},
	{rule: "M13", why: "the sender knows it", drawing: flow, edit: func(find func(string) span) {
		set(find("s.send"), "messaging.kafka.message.key", journey.StringValue("k"))
	}, want: "M13"},
	{rule: "M13", why: "the consumer knows it", drawing: flow, edit: func(find func(string) span) {
		set(find("c.process"), "messaging.kafka.message.key", journey.StringValue("k"))
	}, want: "M13"},

	{rule: "M14", why: "both say so", drawing: flow, edit: func(find func(string) span) {
		set(find("s.send"), "messaging.kafka.message.tombstone", journey.BoolValue(true))
		set(find("c.process"), "messaging.kafka.message.tombstone", journey.BoolValue(true))
	}},
	{rule: "M14", why: "only one says so", drawing: flow, edit: func(find func(string) span) {
		set(find("c.process"), "messaging.kafka.message.tombstone", journey.BoolValue(true))
	}, want: "M14"},
	{rule: "M14", why: "a text", drawing: flow, edit: func(find func(string) span) {
		set(find("c.process"), "messaging.kafka.message.tombstone", journey.StringValue("false"))
	}, want: "M14"},
	{rule: "M14", why: "with a body", drawing: flow, edit: func(find func(string) span) {
		for _, name := range []string{"s.send", "c.process"} {
			set(find(name), "messaging.kafka.message.tombstone", journey.BoolValue(true))
			set(find(name), "messaging.message.body.size", journey.IntValue(10))
		}
	}, want: "M14"},

	{rule: "M20", why: "values on the links", drawing: batch, edit: func(find func(string) span) {
		l := find("c.work").Links
		l[0].Attributes = []journey.Attribute{{Key: "messaging.kafka.offset", Value: journey.IntValue(7)}}
	}},
	{rule: "M20", why: "on the span", drawing: batch, edit: func(find func(string) span) {
		set(find("c.work"), "messaging.message.id", journey.StringValue("7"))
	}, want: "M20"},
	{rule: "M20", why: "a commit says where it stands", drawing: flow, edit: func(find func(string) span) {
		set(find("commit"), "messaging.batch.message_count", journey.IntValue(2))
		set(find("commit"), "messaging.kafka.offset", journey.IntValue(9))
	}},
}

// batch is two messages and a process span for both.
const batch = `
root 0-50
  s.one $send 10-20
  s.two $send 10-20 messaging.kafka.offset=8
c.work $batch 60-90 service=c trace=2 link=s.one link=s.two messaging.batch.message_count=2
`

// twoTopics is a span over messages of two topics.
func twoTopics(kind string) string {
	return `
root 0-50
  s.one $send 10-20
  s.two PRODUCER 10-20 op=send messaging.operation.name=send messaging.system=kafka topic=U messaging.destination.partition.id=1 messaging.kafka.offset=1
work ` + kind + ` 60-90 service=c trace=2 link=s.one link=s.two messaging.batch.message_count=2 span.name=` + map[string]string{"$batch": "process", "$poll": "poll"}[kind]
}
