package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestWatchRefusesWrongFlags: before anything starts, with the way out.
func TestWatchRefusesWrongFlags(t *testing.T) {
	const kafka = "--kafka=127.0.0.1:1"
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "name the broker with --kafka"},
		{[]string{kafka, "--quiet", "4s"}, "--quiet 4s: use more than 4s"},
		{[]string{kafka, "--quiet", "0s"}, "use values over 0"},
		{[]string{kafka, "--quiet", "6s", "--window", "5s"}, "--window 5s: use at least --quiet, which is 6s"},
		{[]string{kafka, "--patience", "1s"}, "--patience 1s: use at least --quiet, which is 5s"},
		{[]string{kafka, "--causes", "0"}, "--causes"},
		{[]string{kafka, "--trace-spans=-1"}, "--trace-spans"},
		{[]string{kafka, "--memory=-1"}, "--memory: use 1 or more"},
		{[]string{"--kafka=http://127.0.0.1:1"}, "--kafka http://127.0.0.1:1: name brokers as HOST:PORT"},
		{[]string{kafka, "--topic", "a b"}, `--topic "a b": Kafka takes names of at most 249 letters`},
		{[]string{kafka, "--group", "a/b"}, `--group "a/b": its topics are`},
		{[]string{kafka, "--journeys", ".."}, `--journeys ".."`},
		{[]string{kafka, "--otlp", "ftp://collector"}, "--otlp"},
	} {
		var out, talk bytes.Buffer
		if status := run(t.Context(), append([]string{"watch"}, c.args...), nil, &out, &talk); status != exitUsage || !strings.Contains(talk.String(), c.want) {
			t.Errorf("watch %q: exit status %d, want %d and %q: %s", c.args, status, exitUsage, c.want, talk.String())
		}
	}
}

// TestWatchThatDoesNotBegin says why, and nothing of what was read.
func TestWatchThatDoesNotBegin(t *testing.T) {
	var out, talk bytes.Buffer
	status := run(t.Context(), []string{"watch", "--kafka", "127.0.0.1:1", "--group", "", "--instance", "a"}, nil, &out, &talk)
	text := talk.String()
	if status != exitNotSo || strings.Contains(text, "records read") || !strings.Contains(text, "tracelab: kafka broker 127.0.0.1:1 cannot be reached: start it") {
		t.Errorf("exit status %d: %s", status, text)
	}
	if !strings.Contains(text, "as a of the group tracelab.watch\nsummaries go to tracelab.journeys; Ctrl-C ends it\n") {
		t.Errorf("an empty --group does not take the default: %s", text)
	}
}
