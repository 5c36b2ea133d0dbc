package actor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tracelab/journey"
	"tracelab/journey/semconv"
)

// knownGroups counts which groups handled the messages of which topics, in journeys that were judged in the last hour.
type knownGroups struct {
	turned       time.Duration
	now, earlier map[string]*topicGroups
}

// topicGroups counts the messages of one topic, and by group those that it handled.
type topicGroups struct {
	sent    int
	handled map[string]int
}

// halfHour is how long the groups of judged journeys are counted together: what is known is an hour old at the most.
const halfHour = 30 * time.Minute

// turn starts a new half hour when the current one is over, and forgets the one before the last.
func (g *knownGroups) turn(now time.Duration) {
	if now-g.turned >= halfHour {
		g.turned, g.earlier, g.now = now, g.now, nil
	}
}

// sentMessage is a message that a journey sent, and the groups that handled it.
type sentMessage struct {
	topic, name string
	groups      []string
}

// messagesOf returns the messages that a journey sent.
func messagesOf(j *journey.Journey) []sentMessage {
	handled := make(map[journey.Index][]string)
	for _, m := range j.Messages() {
		handled[m.Producer] = append(handled[m.Producer], m.Group)
	}
	set := j.Set()
	var list []sentMessage
	for _, i := range j.Spans() {
		op := set.Operation(i)
		if topic := set.Topic(i); topic != "" && !set.Failed(i) && op != semconv.OperationCreate && (op == semconv.OperationSend || set.Span(i).Kind == journey.KindProducer) {
			list = append(list, sentMessage{topic, set.Span(i).Name, handled[i]})
		}
	}
	return list
}

// learn counts the messages of a journey.
func (g *knownGroups) learn(messages []sentMessage) {
	for _, m := range messages {
		if g.now == nil {
			g.now = make(map[string]*topicGroups)
		}
		x := g.now[m.topic]
		if x == nil {
			x = &topicGroups{handled: make(map[string]int)}
			g.now[m.topic] = x
		}
		x.sent++
		slices.Sort(m.groups)
		for _, name := range slices.Compact(m.groups) {
			if name != "" {
				x.handled[name]++
			}
		}
	}
}

// unhandled says which of the messages of a journey was not handled by a group that handles at least one in twenty of its topic's, or "".
func (g *knownGroups) unhandled(messages []sentMessage) string {
	for _, m := range messages {
		sent, handled := 0, make(map[string]int)
		for _, half := range [...]map[string]*topicGroups{g.now, g.earlier} {
			if x := half[m.topic]; x != nil {
				sent += x.sent
				for name, n := range x.handled {
					handled[name] += n
				}
			}
		}
		var missing []string
		for name, n := range handled {
			if n*20 >= sent && !slices.Contains(m.groups, name) {
				missing = append(missing, name)
			}
		}
		if len(missing) > 0 {
			slices.Sort(missing)
			return fmt.Sprintf("%s was not handled by %s, though it is elsewhere (P05)", m.topic, strings.Join(missing, ", "))
		}
	}
	return ""
}
