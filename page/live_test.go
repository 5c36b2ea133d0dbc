package page

import (
	"fmt"
	"strings"
	"testing"

	"tracelab/lab"
)

// TestManyProblemsAreFolded: a lab with much to complain of leaves room for the page, and hides nothing of it.
func TestManyProblemsAreFolded(t *testing.T) {
	s := New(nil, Config{})
	for n, summary := range map[int]string{0: "", 1: "", 3: "", 4: "<summary>1 more</summary>", 12: "<summary>9 more</summary>"} {
		var list []string
		for k := range n {
			list = append(list, fmt.Sprintf("problem <%d>", k))
		}
		html := string(s.fragment("layout.html", "problems", list))
		if strings.Count(html, "<li>problem &lt;") != n || !strings.Contains(html, summary) || summary == "" && strings.Contains(html, "<details") {
			t.Errorf("%d problems: %s", n, html)
		}
	}
}

// TestQueuesBesideLag: what waits in RabbitMQ's queues stands beside what Kafka's groups have not committed, and alone where nothing comes over Kafka.
func TestQueuesBesideLag(t *testing.T) {
	s := New(nil, Config{})
	lag, queues := []lab.GroupLag{{Group: "payment", Topic: "stock.reserved", Records: 7}}, []lab.QueueDepth{{Queue: "shipping", Messages: 12}}
	const group, queue, none = `<td>stock.reserved</td><td class="num">7</td>`, `<th scope="row">shipping</th><td class="num">12</td>`, "No consumer group is known yet"
	const unheard = `<p class="problem">Kafka: no answer.</p>`
	for name, c := range map[string]struct {
		view liveView
		want []string
	}{
		"both":     {liveView{Lag: lag, Queues: queues}, []string{group, queue}},
		"kafka":    {liveView{Lag: lag}, []string{group}},
		"rabbitmq": {liveView{Queues: queues}, []string{queue}},
		"neither":  {liveView{}, []string{none}},
		"paused":   {liveView{Lag: lag, Unheard: []string{"Kafka: no answer"}}, []string{group, unheard}},
	} {
		html := string(s.fragment("live.html", "lag", c.view))
		for _, piece := range []string{group, queue, none, unheard} {
			want := strings.Contains(strings.Join(c.want, "\n"), piece)
			if strings.Contains(html, piece) != want {
				t.Errorf("%s: %q is there: %v, want %v:\n%s", name, piece, !want, want, html)
			}
		}
	}
}
