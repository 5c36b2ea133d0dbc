package journey

import (
	"cmp"
	"slices"
	"time"

	"tracelab/journey/semconv"
)

// Message is one delivery: a message that one consumer group handled.
type Message struct {
	Producer Index
	Consumer Index         // the process span; the receive span where the group has no process span for the message
	Group    string        // messaging.consumer.group.name, empty when the consumer does not tell
	Topic    string        // messaging.destination.template, or else messaging.destination.name
	Publish  time.Duration // how long the producer span lasted
	Wait     time.Duration // queue wait: from the producer span's end (the broker has it) to the consumer's start; negative with Overlap
	Delivery time.Duration // from the producer span's start to the consumer's start; negative only when clocks are off
	Overlap  bool          // it was delivered before its acknowledgement reached the producer
}

// delivery is a message on its way to a consumer group; groups without a name count by service.
type delivery struct {
	producer Index
	group    int32
}

func (n *node) groupKey() int32 {
	if n.group != 0 {
		return n.group
	}
	return -1 - n.service
}

// Messages returns the messages of the journey by producer, then by consumer. A consumer that is linked only to a receive
// span counts for what that span received, unless that leaves open which message it handled.
func (j *Journey) Messages() []Message {
	var receives []Index
	list := make([]Message, 0, j.countMessages())
	for _, i := range j.spans {
		c := &j.set.nodes[i]
		if !c.is(isConsumer) {
			continue
		}
		if c.op == semconv.OperationReceive {
			receives = append(receives, i)
			continue
		}
		for _, e := range j.set.edgesTo(i) {
			if j.carries(e) {
				list = append(list, j.message(e.pred, i))
			}
		}
	}
	if len(receives) > 0 {
		processed := make(map[delivery]bool, len(list))
		for _, m := range list {
			processed[delivery{m.Producer, j.set.nodes[m.Consumer].groupKey()}] = true
		}
		for _, i := range receives {
			list = j.receivedMessages(list, i, processed)
		}
	}
	slices.SortFunc(list, func(a, b Message) int {
		return cmp.Or(cmp.Compare(a.Producer, b.Producer), cmp.Compare(a.Consumer, b.Consumer))
	})
	return list
}

// countMessages returns how many message edges there are at most, to allocate for them once.
func (j *Journey) countMessages() int {
	n := 0
	for _, i := range j.spans {
		if j.set.nodes[i].is(isConsumer) {
			n += len(j.set.edgesTo(i))
		}
	}
	return n
}

// carries reports whether an edge is a message from a producer of the journey.
func (j *Journey) carries(e edge) bool {
	return e.class == ClassMessage && !j.set.nodes[e.pred].is(isConsumer) && j.Contains(e.pred)
}

// receivedMessages adds the messages of a receive span that its group has no process span for, or that it passed on.
func (j *Journey) receivedMessages(list []Message, receive Index, processed map[delivery]bool) []Message {
	s := j.set
	group := s.nodes[receive].groupKey()
	var producers, processes []Index
	received := 0
	for _, e := range s.edgesTo(receive) {
		if !j.carries(e) {
			continue
		}
		received++
		if !processed[delivery{e.pred, group}] {
			producers = append(producers, e.pred)
		}
	}
	for _, i := range s.effectsOf(receive) {
		if c := &s.nodes[i]; c.is(isConsumer) && c.op != semconv.OperationReceive && c.groupKey() == group {
			processes = append(processes, i)
		}
	}
	if len(processes) == 0 || received > 1 && len(processes) > 1 {
		processes = []Index{receive}
	}
	for _, p := range producers {
		for _, c := range processes {
			list = append(list, j.message(p, c))
		}
	}
	return list
}

func (j *Journey) message(producer, consumer Index) Message {
	s := j.set
	p, c := &s.nodes[producer], &s.nodes[consumer]
	return Message{
		Producer: producer,
		Consumer: consumer,
		Group:    s.groupNames[c.group],
		Topic:    s.topicNames[cmp.Or(p.topic, c.topic)],
		Publish:  time.Duration(p.end - p.start),
		Wait:     time.Duration(c.start - p.end),
		Delivery: time.Duration(c.start - p.start),
		Overlap:  c.start < p.end,
	}
}

// FanOut is how far one message of a journey got.
type FanOut struct {
	Producer Index
	Topic    string
	Groups   []GroupCount // the groups that handled it, by name
	Missing  []string     // groups that handle this topic elsewhere in the set but not this message, by name
}

// GroupCount is the number of spans of a consumer group that handled one message: more than 1 is a repeat.
type GroupCount struct {
	Group string
	Count int
}

// FanOut returns for each message of the journey the consumer groups that it reached, by producer. Expected are the groups
// that are seen for its topic anywhere in the set, so that a missing delivery has a name. Consumers without a group name are
// counted under the empty one. A message that no group handled is included when its topic has consumers elsewhere.
func (j *Journey) FanOut() []FanOut {
	s := j.set
	var list []FanOut
	messages := j.Messages()
	for _, i := range j.spans {
		n := 0
		for n < len(messages) && messages[n].Producer == i {
			n++
		}
		p := &s.nodes[i]
		sends := (p.kind == KindProducer || p.op == semconv.OperationSend) && p.op != semconv.OperationCreate
		switch {
		case n > 0:
			list = append(list, s.fanOut(i, messages[:n]))
			messages = messages[n:]
		case sends && len(s.topicGroups[p.topic]) > 0:
			list = append(list, s.fanOut(i, nil))
		}
	}
	return list
}

// fanOut counts the deliveries of one message.
func (s *Set) fanOut(producer Index, deliveries []Message) FanOut {
	topic := s.nodes[producer].topic
	reached := make([]string, len(deliveries))
	for i, m := range deliveries {
		topic = cmp.Or(topic, s.nodes[m.Consumer].topic)
		reached[i] = m.Group
	}
	slices.Sort(reached)
	f := FanOut{Producer: producer, Topic: s.topicNames[topic]}
	for i := 0; i < len(reached); {
		n := 1
		for i+n < len(reached) && reached[i+n] == reached[i] {
			n++
		}
		f.Groups = append(f.Groups, GroupCount{reached[i], n})
		i += n
	}
	for _, g := range s.topicGroups[topic] {
		if _, ok := slices.BinarySearch(reached, s.groupNames[g]); !ok {
			f.Missing = append(f.Missing, s.groupNames[g])
		}
	}
	slices.Sort(f.Missing)
	return f
}

// findTopicGroups notes which groups consume which topic, and the names that go with the numbers of topics and groups.
func (s *Set) findTopicGroups() {
	s.topicNames, s.groupNames = s.topics.Keys(), s.groups.Keys()
	s.topicGroups = make([][]int32, len(s.topicNames))
	seen := make(map[[2]int32]bool)
	for i := range s.nodes {
		n := &s.nodes[i]
		if key := [2]int32{n.topic, n.group}; n.is(isConsumer) && n.topic != 0 && n.group != 0 && !seen[key] {
			seen[key] = true
			s.topicGroups[n.topic] = append(s.topicGroups[n.topic], n.group)
		}
	}
}
