package watch

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// part identifies a partition that the group reads: of the input topic, or of the work topic.
type part struct {
	input bool // of the input topic
	id    int32
}

// Names of the two topics in the keys of marks.
const (
	inputWord = "input"
	workWord  = "work"
)

// String returns the key of the partition's marks, such as work/7.
func (p part) String() string {
	if p.input {
		return inputWord + "/" + strconv.Itoa(int(p.id))
	}
	return workWord + "/" + strconv.Itoa(int(p.id))
}

// parsePart is the inverse of part.String.
func parsePart(key string) (part, error) {
	topic, number, _ := strings.Cut(key, "/")
	id, err := strconv.ParseInt(number, 10, 32)
	if err != nil || id < 0 || topic != inputWord && topic != workWord {
		return part{}, fmt.Errorf("key %q of a mark: want input/N or work/N", key)
	}
	return part{input: topic == inputWord, id: int32(id)}, nil
}

// mark says how far a watcher is with one partition. It carries no time of day, since clocks differ. In its place AsOf is an offset of the marks topic
// itself: all records that the partition held when its watcher had read the marks before AsOf are settled.
type mark struct {
	AsOf     int64  `json:"as_of"`
	BehindMS int64  `json:"behind_ms"` // for how long the oldest record that is not settled has been known
	Judged   int64  `json:"judged"`    // of the work topic: no verdict is to come of a trace with records before this offset, and those given are written
	Watcher  string `json:"watcher"`   // Config.Instance
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
