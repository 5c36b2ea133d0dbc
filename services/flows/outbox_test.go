package flows

import (
	"bytes"
	"strings"
	"testing"
)

// TestOutboxOfAForm: a form says it for itself, else the flow does; the picture says it, too.
func TestOutboxOfAForm(t *testing.T) {
	for _, c := range []struct {
		flow, form string
		want       Switch
		note       string
	}{
		{"", "", Unsaid, ""}, {"outbox: on\n", "", On, "kafka: desk sends its first messages from an outbox"},
		{"outbox: on\n", ", outbox: off", Off, "without an outbox"}, {"", ", outbox: on", On, "from an outbox"},
	} {
		text := strings.Replace(strings.Replace(small, "body:", c.flow+"body:", 1), "desk.Take: http", "desk.Take: http"+c.form, 1)
		f, err := Parse("parcel.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		var picture bytes.Buffer
		if err := f.WriteText(&picture, 200); err != nil {
			t.Fatal(err)
		}
		if got := f.OutboxOf("kafka"); got != c.want || !strings.Contains(picture.String(), c.note) || strings.Contains(picture.String(), "grpc: desk sends") {
			t.Errorf("%q %q: outbox %d, want %d; the picture is\n%s", c.flow, c.form, got, c.want, &picture)
		}
	}
}
