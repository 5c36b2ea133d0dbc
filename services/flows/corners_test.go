package flows

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEveryFlowHasItsCorners: its own forms where they are that, and derived ones for the others.
func TestEveryFlowHasItsCorners(t *testing.T) {
	own := func(text string) *Flow {
		f, err := Parse("p.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	for name, c := range map[string]struct {
		flow  *Flow
		forms []Form
		added int
	}{
		"order":      {Order(), []Form{"grpc", "ack", "reply", "kafka"}, 0},
		"derived":    {own(small), []Form{"grpc", "ack", "reply", "kafka"}, 2},
		"other name": {own(strings.Replace(small, "  grpc: {each: grpc}", "  calls: {each: grpc}\n  ack: {each: http}", 1)), []Form{"calls", "corner-ack", "reply", "kafka"}, 2},
	} {
		f, corners, err := c.flow.WithCorners()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(c.forms, corners.Forms()); diff != "" || len(f.Columns) != len(c.flow.Columns)+c.added {
			t.Errorf("%s: %d columns of %d, corners (-want +got):\n%s", name, len(f.Columns), len(c.flow.Columns), diff)
		}
		if ack := plan(t, f, corners.Ack); !ack.Early() || ack.EndsInCall() {
			t.Errorf("%s: the ack corner is not early", name)
		}
		if reply := plan(t, f, corners.Reply); !reply.EndsInCall() || reply.Early() {
			t.Errorf("%s: the reply corner does not wait", name)
		}
	}
	if _, _, err := own(joins).WithCorners(); err == nil || !strings.Contains(err.Error(), "d.Both") {
		t.Errorf("a join that messages cannot lead to: %v", err)
	}
}
