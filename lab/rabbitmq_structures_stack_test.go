//go:build stack

package lab_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tracelab/lab"
	"tracelab/services"
)

// TestRabbitMQGivesTheseStructures runs a few orders on a real RabbitMQ with each relation, and another flow with the default one, and holds the
// shapes of their journeys, as testdata/structures has them. Times are the broker's, so they are not held.
func TestRabbitMQGivesTheseStructures(t *testing.T) {
	address := rabbitAddress(t)
	for _, c := range []struct{ flow, relation string }{{"order", "both"}, {"order", "parent"}, {"order", "link"}, {"ride", "both"}} {
		t.Run(c.flow+" "+c.relation, func(t *testing.T) {
			const orders = 5
			result, err := lab.Run(t.Context(), lab.Config{
				Flow: named(c.flow), Forms: []services.Form{"rabbitmq"}, Relation: relation(c.relation), Orders: orders, WarmUp: 1, Seed: 1,
				Timeout: 30 * time.Second, Deadline: 60 * time.Second, RabbitMQ: []string{address}, Out: t.TempDir(), Version: "test",
			})
			if err != nil {
				t.Fatal(err)
			}
			balanced(t, result)
			if f := result.Forms["rabbitmq"]; len(result.Problems) > 0 || f.Journeys != orders {
				t.Errorf("%d journeys complete, problems %q", f.Journeys, result.Problems)
			}
			structures(t, result, topicPrefix(result)) // one for all orders
			for _, j := range group(t, result, "rabbitmq")[:1] {
				compareGolden(t, filepath.Join("testdata", "structures", c.flow+"-"+c.relation+"-rabbitmq.txt"), timeless(j))
			}
		})
	}
}

// timeless is what a drawing of a journey tells without times: for each span how it refers to what caused it, and the one above it.
func timeless(j *drawn) string {
	var lines []string
	for _, i := range j.Spans() {
		_, text, _ := strings.Cut(strings.TrimSpace(j.span(i)), " ") // its start
		_, text, _ = strings.Cut(text, " ")                          // its duration
		if parent, ok := j.Set().Parent(i); ok {
			text += " below " + j.name(parent)
		}
		lines = append(lines, text+"\n")
	}
	slices.Sort(lines)
	return fmt.Sprintf("%d spans in %d traces\n\n", len(j.Spans()), len(j.Traces())) + strings.Join(lines, "")
}
