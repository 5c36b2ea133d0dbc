package watch

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// part is one partition that the group reads: of the input topic, or of the work topic.
type part struct {
	input bool
	id    int32
}

// Words of the two topics in the keys of marks.
const (
	inputWord = "input"
	workWord  = "work"
)

// String is the key of the partition's marks, such as work/7.
func (p part) String() string {
	if p.input {
		return inputWord + "/" + strconv.Itoa(int(p.id))
	}
	return workWord + "/" + strconv.Itoa(int(p.id))
}

func parsePart(key string) (part, error) {
	topic, number, _ := strings.Cut(key, "/")
	id, err := strconv.ParseInt(number, 10, 32)
	if err != nil || id < 0 || topic != inputWord && topic != workWord {
		return part{}, fmt.Errorf("key %q of a mark: want input/N or work/N", key)
	}
	return part{input: topic == inputWord, id: int32(id)}, nil
}

// mark says how far a watcher is with one partition. It carries no time of day, since clocks differ: AsOf is a place in the topic of marks
// itself. All that the partition held when its watcher had read the marks before AsOf has been handled, and what came out of it is written.
type mark struct {
	AsOf     int64  `json:"as_of"`
	BehindMS int64  `json:"behind_ms"` // since when the oldest record that is known and not handled is known
	Watcher  string `json:"watcher"`   // instance id
}

func (m mark) value() []byte {
	value, err := json.Marshal(m)
	if err != nil {
		return nil // numbers and a string always can
	}
	return value
}

func parseMark(key, value []byte) (part, mark, error) {
	p, err := parsePart(string(key))
	if err != nil {
		return p, mark{}, err
	}
	var m mark
	if err := json.Unmarshal(value, &m); err != nil {
		return p, m, fmt.Errorf("mark of %s: %w", p, err)
	}
	return p, m, nil
}
