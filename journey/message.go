package journey

import (
	"cmp"
	"slices"
	"sort"
	"time"

	"tracelab/journey/semconv"
)

// Message is one delivery: a message that one consumer group handled.
type Message struct {
	Producer Index
	Consumer Index         // the process span; the receive span where the group has no process span for the message
	Group    string        // messaging.consumer.group.name, empty when the consumer has none
	Topic    string        // messaging.destination.template, or else messaging.destination.name
	Publish  time.Duration // how long the producer span lasted
	Wait     time.Duration // queue wait: from the producer span's end (the broker has it) to its arrival, see Set.Arrived; negative with Overlap
	Delivery time.Duration // from the producer span's start to its arrival; negative only when clocks are off
	Overlap  bool          // it was delivered before its acknowledgement reached the producer
}

// Messages returns the messages of the journey by producer, then by consumer. A receive span is the consumer where it stands
// for the handling. Where its service handles what it received in a span of its own, that span is the consumer instead,
// unless it is then unclear which message it handled.
func (j *Journey) Messages() []Message {
	list := make([]Message, 0, j.countMessages())
	for _, i := range j.spans {
		c := &j.set.nodes[i]
		if !c.handles() {
			continue
		}
		if c.op == semconv.OperationReceive {
			list = j.receivedMessages(list, i)
			continue
		}
		for _, e := range j.set.edgesTo(i) {
			if j.carries(e) {
				list = append(list, j.message(e.pred, i))
			}
		}
	}
	slices.SortFunc(list, func(a, b Message) int {
		return cmp.Or(cmp.Compare(a.Producer, b.Producer), cmp.Compare(a.Consumer, b.Consumer))
	})
	return list
}

// countMessages returns how many messages there are at most, to allocate for them once.
func (j *Journey) countMessages() int {
	n := 0
	for _, i := range j.spans {
		for _, e := range j.set.edgesTo(i) {
			if e.class == ClassMessage {
				n++
			}
		}
	}
	return n
}

// carries reports whether an edge is a message from a producer of the journey.
func (j *Journey) carries(e edge) bool { return j.set.carries(e) && j.Contains(e.pred) }

// receivedMessages adds the messages of a receive span, with it or with the spans that it led to as their consumers.
func (j *Journey) receivedMessages(list []Message, receive Index) []Message {
	s := j.set
	var producers, processes []Index
	for _, e := range s.edgesTo(receive) {
		if j.carries(e) {
			producers = append(producers, e.pred)
		}
	}
	if len(producers) == 0 {
		return list
	}
	for _, i := range s.effectsOf(receive) {
		if c := &s.nodes[i]; c.is(isConsumer) && c.op != semconv.OperationReceive && c.caller != receive && s.sameConsumer(i, receive) {
			processes = append(processes, i)
		}
	}
	if len(processes) == 0 || len(producers) > 1 && len(processes) > 1 {
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
	arrived := s.arrived(producer, consumer)
	return Message{
		Producer: producer,
		Consumer: consumer,
		Group:    s.groupNames[c.group],
		Topic:    s.topicNames[cmp.Or(p.topic, c.topic)],
		Publish:  time.Duration(p.end - p.start),
		Wait:     time.Duration(arrived - p.end),
		Delivery: time.Duration(arrived - p.start),
		Overlap:  arrived < p.end,
	}
}

// Arrived returns when a producer's message arrived at a consumer, in nanoseconds since the Unix epoch: when the consumer's
// span began. A receive span that began before the message was sent does not show that: then it is the start of the first
// span that it led to after the message was sent, or its own end if that is sooner.
func (s *Set) Arrived(producer, consumer Index) int64 {
	if producer < 0 || consumer < 0 || int(max(producer, consumer)) >= s.Len() {
		return s.node(consumer).start
	}
	return s.arrived(producer, consumer)
}

func (s *Set) arrived(producer, consumer Index) int64 {
	p, c := &s.nodes[producer], &s.nodes[consumer]
	if c.op != semconv.OperationReceive || c.start >= p.start {
		return c.start
	}
	return s.arrival(producer, consumer)
}

// arrival returns when a message arrived at a receive span that was open before.
func (s *Set) arrival(producer, receive Index) int64 {
	effects, sent := s.effectsOf(receive), s.nodes[producer].start
	at := sort.Search(len(effects), func(k int) bool { return s.nodes[effects[k]].start >= sent })
	if at < len(effects) {
		return min(s.nodes[receive].end, s.nodes[effects[at]].start)
	}
	return s.nodes[receive].end
}

// FanOut is how far one message of a journey got.
type FanOut struct {
	Producer Index
	Topic    string
	Groups   []GroupCount // the groups that handled it, by name
	Missing  []string     // groups that handle this topic elsewhere in the set but not this message, by name
	Rare     []string     // groups that handled less than one in twenty of the topic's messages, and not this one, by name
}

// GroupCount is the number of spans of a consumer group that handled one message: more than 1 is a repeat.
type GroupCount struct {
	Group string
	Count int
}

// FanOut returns for each message of the journey the consumer groups that it reached, by producer. Groups that handle its
// topic elsewhere in the set are expected, so that a missing delivery can be named. Consumers without a group name are
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
		switch {
		case n > 0:
			list = append(list, s.fanOut(i, messages[:n]))
			messages = messages[n:]
		case p.sends() && len(s.topicGroups[p.topic]) > 0:
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
	f.Missing, f.Rare = s.lacking(s.topicGroups[topic], reached), s.lacking(s.rareGroups[topic], reached)
	return f
}

// lacking returns the names of the groups that are not among those that were reached.
func (s *Set) lacking(groups []int32, reached []string) []string {
	var names []string
	for _, g := range groups {
		if _, ok := slices.BinarySearch(reached, s.groupNames[g]); !ok {
			names = append(names, s.groupNames[g])
		}
	}
	slices.Sort(names)
	return names
}

// topicGroup is a group that consumes a topic.
type topicGroup struct{ topic, group int32 }

// findTopicGroups finds which groups consume which topic, and fills in the names of topics and groups. A group that handled
// less than one in twenty of a topic's messages is not expected to handle another one.
func (s *Set) findTopicGroups() {
	s.topicNames, s.groupNames = s.topics.Keys(), s.groups.Keys()
	s.topicGroups, s.rareGroups = make([][]int32, len(s.topicNames)), make([][]int32, len(s.topicNames))
	if len(s.topicNames) == 1 || len(s.groupNames) == 1 {
		return
	}
	sent, handled := make([]int, len(s.topicNames)), make(map[topicGroup]int)
	last, count := topicGroup{}, 0
	for i := range s.nodes {
		n := &s.nodes[i]
		if n.topic == 0 {
			continue
		}
		if n.sends() {
			sent[n.topic]++
		}
		if !n.is(isConsumer) || n.group == 0 {
			continue
		}
		key := topicGroup{n.topic, n.group}
		if key != last {
			handled[last] += count
			last, count = key, 0
		}
		count += s.deliveries(Index(i))
	}
	handled[last] += count
	delete(handled, topicGroup{})
	for key, n := range handled {
		if n > 0 && n*20 >= sent[key.topic] {
			s.topicGroups[key.topic] = append(s.topicGroups[key.topic], key.group)
			s.expects = true
		} else {
			s.rareGroups[key.topic] = append(s.rareGroups[key.topic], key.group)
		}
	}
}

// deliveries returns how many messages reached span i, those that it handled again left out.
func (s *Set) deliveries(i Index) int {
	n := 0
	for _, e := range s.edgesTo(i) {
		if e.class == ClassRetry {
			return 0
		}
		if s.carries(e) {
			n++
		}
	}
	return n
}
