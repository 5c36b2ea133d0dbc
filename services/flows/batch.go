package flows

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Batch is how messages are handled together: as many as come within a time of the first one, and no more than a number. The zero Batch is
// none.
type Batch struct {
	Size int
	Wait time.Duration
}

// Limits of a batch. Its process span has a link for each message, and a span has at most 128.
const (
	mostInBatch  = 128
	longestBatch = 10 * time.Second
)

// inBatches stands between a carrier and how large its batches are.
const inBatches = " in batches of "

// String is the batch as a file has it: in batches of 100, 20ms.
func (b Batch) String() string {
	return fmt.Sprintf("in batches of %d, %v", b.Size, b.Wait)
}

// CarriedBy is what carries a step, as a file has it: kafka, or kafka in batches of 100, 20ms.
func (c Column) CarriedBy(step Step) string {
	if batch, ok := c.Batches[step]; ok {
		return string(c.By[step]) + " " + batch.String()
	}
	return string(c.By[step])
}

// BatchOf is how a service handles the messages of a topic in a form; false: each by itself.
func (f *Flow) BatchOf(form Form, by Carrier, service, topic string) (Batch, bool) {
	column, _ := f.Column(form)
	for _, row := range f.Rows {
		if row.Message == topic && row.Step.Service() == service && column.By[row.Step] == by {
			batch, ok := column.Batches[row.Step]
			return batch, ok
		}
	}
	return Batch{}, false
}

// HasBatches tells whether a form handles messages together.
func (f *Flow) HasBatches(form Form) bool {
	column, _ := f.Column(form)
	return len(column.Batches) > 0
}

// readCarried reads a carrier, and how large its batches are where it has some.
func readCarried(v value) (Carrier, Batch, error) {
	text, err := v.text()
	if err != nil {
		return "", Batch{}, err
	}
	name, size, batched := strings.Cut(text, inBatches)
	if !slices.Contains(Carriers(), Carrier(name)) {
		return "", Batch{}, v.wrong("%s", unknown("carrier", name, words(Carriers())))
	}
	if !batched {
		return Carrier(name), Batch{}, nil
	}
	if !Carrier(name).IsMessage() {
		return "", Batch{}, v.wrong("a call is made for one unit, so %s has no batches: use a message, such as kafka in batches of 100, 20ms", name)
	}
	batch, err := readBatch(v, size)
	return Carrier(name), batch, err
}

// readBatch reads N, T.
func readBatch(v value, text string) (Batch, error) {
	size, wait, both := strings.Cut(text, ",")
	n, err := strconv.Atoi(strings.TrimSpace(size))
	if !both || err != nil {
		return Batch{}, v.wrong("%q: say how many, and how long the first one waits for the others, such as kafka in batches of 100, 20ms", cut(text))
	}
	if n < 2 || n > mostInBatch {
		return Batch{}, v.wrong("batches of %d: use 2 to %d: the span of a batch has a link for each message, and no span has more than %d", n, mostInBatch, mostInBatch)
	}
	t, err := time.ParseDuration(strings.TrimSpace(wait))
	if err != nil || t <= 0 || t > longestBatch {
		return Batch{}, v.wrong("%q: use a time over 0 and up to %v, such as 20ms", cut(strings.TrimSpace(wait)), longestBatch)
	}
	return Batch{n, t}, nil
}

// checkBatches finds messages of which a service would handle some steps in batches and others not: it gets each of them once.
func (r *reader) checkBatches(doc *document) error {
	for _, column := range r.flow.Columns {
		for i, row := range r.flow.Rows {
			for _, before := range r.flow.Rows[:i] {
				if row.Message != "" && before.Message == row.Message && before.Step.Service() == row.Step.Service() &&
					column.By[before.Step] == column.By[row.Step] && column.Batches[before.Step] != column.Batches[row.Step] {
					return doc.about(r.forms[column.Form], "forms: "+string(column.Form), "%s gets a message on %s once, for %s and %s: carry both alike, %s",
						row.Step.Service(), row.Message, before.Step, row.Step, column.CarriedBy(before.Step))
				}
			}
		}
	}
	return nil
}
