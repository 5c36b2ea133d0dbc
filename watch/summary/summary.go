// Package summary writes a judged journey as one line of JSON, tracelab.summary/v1: its measures, the waits of its messages, where the time
// of its completion path went, and what was found wrong with it.
//
//	line := summary.Of(j, "").JSON()
//	s, err := summary.Parse(line)
//
// The bytes depend on the spans alone: everything is sorted, and neither the time of judging nor the watcher is named. Two watchers that judge
// one journey write the same line, so a reader may take either.
//
// A line has a bounded size: long lists and long texts are cut. A cut text ends in an ellipsis.
package summary

import (
	"time"

	"tracelab/journey"
)

// Schema names the JSON document of a summary. Fields are added to a version, never renamed.
const Schema = "tracelab.summary/v1"

// Outcome is how a journey ended.
type Outcome string

// The outcomes. An incomplete journey has spans that are known to be missing, so its measures are too small.
const (
	OK         Outcome = "ok"
	Error      Outcome = "error" // its root failed, or work that its caller did not hear of: see Summary.Silent
	Incomplete Outcome = "incomplete"
)

// Summary is what is kept of one journey. Durations are nanoseconds in JSON, and null where they are not known.
type Summary struct {
	Schema  string  `json:"schema"`
	Root    Root    `json:"root"`
	Start   int64   `json:"start_unix_ns"` // of the root, or of the earliest span without one
	Outcome Outcome `json:"outcome"`
	Silent  bool    `json:"silent,omitempty"` // of outcome error: the root is fine, so its caller does not know
	Reason  string  `json:"reason,omitempty"` // of outcome incomplete: how that is known; see Summary.ReasonRule

	CallerWait *time.Duration `json:"caller_wait_ns"`
	Completion *time.Duration `json:"completion_ns"`
	Tail       *time.Duration `json:"tail_ns"`
	QueueWait  *time.Duration `json:"queue_wait_ns"` // mean of the deliveries; negative where they came before their acknowledgement

	Spans      int      `json:"spans"`
	Traces     int      `json:"traces"`
	Messages   int      `json:"messages"`             // that were sent
	Deliveries int      `json:"deliveries"`           // of messages to consumer groups
	Unreceived []string `json:"unreceived,omitempty"` // topics of messages that nobody is seen to receive, sorted

	Structure *Structure `json:"structure,omitempty"`
	Queues    []Queue    `json:"queues"`           // by topic, then by group
	Steps     []Step     `json:"steps"`            // of the completion path, the longest first
	Rest      *Rest      `json:"rest,omitempty"`   // further steps
	Weight    *float64   `json:"weight,omitempty"` // how many journeys it stands for, where its sampler says so
	Tailed    bool       `json:"tail_sampled,omitempty"`

	Lint     map[journey.RuleID]int `json:"lint"` // findings by rule
	Warnings []Warning              `json:"warnings"`
}

// Root is the span that a journey begins with. Without one, the ids are those of the earliest span, and service and name
// are empty.
type Root struct {
	Trace   string `json:"trace"`
	Span    string `json:"span"`
	Service string `json:"service"`
	Name    string `json:"name"` // with {id} for each part that looks like an identifier
}

// Structure tells which journeys have the same tree of nodes.
type Structure struct {
	Signature string `json:"signature"` // equal for equal trees, wherever they are from
	Nodes     int    `json:"nodes"`
}

// Queue has the deliveries of one topic to one consumer group.
type Queue struct {
	Topic      string          `json:"topic"`
	Group      string          `json:"group"` // "" where the consumer names none
	Deliveries int             `json:"deliveries"`
	Waits      []time.Duration `json:"waits_ns"` // ascending; of more than 256 deliveries, 256 at equal distances in that order
}

// Step is the part of a completion path that the spans of one name have. The steps and the rest add up to the completion.
type Step struct {
	Service string        `json:"service"`
	Name    string        `json:"name"`
	Work    time.Duration `json:"work_ns"`
	Wait    time.Duration `json:"wait_ns"` // until it began: in queues, or for what runs after an answer
}

// Rest is the part of a completion path that further steps have.
type Rest struct {
	Steps int           `json:"steps"`
	Work  time.Duration `json:"work_ns"`
	Wait  time.Duration `json:"wait_ns"`
}

// Warning says what was found wrong with the journey's spans, and how it was dealt with.
type Warning struct {
	Rule journey.RuleID `json:"rule"`
	Text string         `json:"text"`
}

// TraceID returns the id of the root's trace, which is the summary's key.
func (s *Summary) TraceID() journey.TraceID {
	id, _ := journey.ParseTraceID(s.Root.Trace) // Of writes it, and Parse checks it
	return id
}

// ReasonRule returns the rule that shows that the journey is incomplete, with which the reason ends: P04. It is "" for other
// outcomes, and where the reason is not in the spans but is that of the watcher.
func (s *Summary) ReasonRule() journey.RuleID {
	n := len(s.Reason)
	if n < len("(P04)") || s.Reason[n-1] != ')' || s.Reason[n-5] != '(' {
		return ""
	}
	rule := s.Reason[n-4 : n-1]
	if rule[0] < 'A' || rule[0] > 'Z' || !isDigit(rule[1]) || !isDigit(rule[2]) {
		return ""
	}
	return journey.RuleID(rule)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
