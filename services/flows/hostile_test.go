package flows

import (
	"errors"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// hostileFlows are changes of the small flow that somebody could make to do harm, or by mistake.
var hostileFlows = [][2]string{
	{"flow: parcel", "\ufeff\ufeffflow: parcel"}, {"flow: parcel", "flow: par\x00cel"}, {"flow: parcel", "flow:\tparcel\n\tunit: x"},
	{"  scale.Weigh", "\tscale.Weigh"}, {"flow: parcel", "flow: 'parcel"}, {"flow: parcel", "flow: |\n  parcel\n  two"}, {"flow: parcel", "flow: >-\n  " + strings.Repeat("x", 4000)},
	{"flow: parcel", "? flow\n: parcel"}, {"flow: parcel", "? [a, b]\n: parcel"}, {"flow: parcel", "{flow: parcel}: x"}, {"flow: parcel", "flow: parcel\n: nokey"},
	{"flow: parcel", "flow: 99999999999999999999999999999999999"}, {"flow: parcel", "flow: ~"}, {"flow: parcel", "flow: .inf"},
	{"flow: parcel", "flow: [parcel]"}, {"flow: parcel", "flow: {a: b}"}, {"flow: parcel", "flow: parcel\nsteps: {}"}, {"flow: parcel", "%YAML 1.2\nflow: parcel"},
	{"flow: parcel", "flow: parcel\r\rbad"}, {"flow: parcel", "flow: parcel\u2028unit: x"}, {"flow: parcel", "flow: par\u202ecel"}, {"flow: parcel", "flow: pаrcel"},
	{"flow: parcel", "flow: parcel\ntimeout: -1s"}, {"flow: parcel", "flow: parcel\ntimeout: 9999999999999h"}, {"flow: parcel", "flow: parcel\ntimeout: 1e309s"}, {"flow: parcel", "flow: parcel\npath: //"},
	{"flow: parcel", "flow: parcel\npath: /../x"}, {"flow: parcel", "flow: parcel\npath: /x?y"}, {"flow: parcel", "flow: parcel\nunit: Parcel"}, {"flow: parcel", "flow: parcel\nwhat: [1]"},
	{"flow: parcel", "flow: parcel\ndefault: nope"}, {"flow: parcel", "flow: parcel\ndefault: [grpc]"}, {"flow: parcel", "flow: parcel\nbody: x"}, {"flow: parcel", "flow: parcel\nreasons: [x]"},
	{"wait: 1ms", "wait: 0x10ms"}, {"wait: 1ms", "wait: 1_000ms"}, {"wait: 1ms", "wait: 9223372036854775807ns"}, {"wait: 1ms", "wait: -1ms"}, {"wait: 1ms", "wait: 1e3ms"}, {"wait: 1ms", "wait: NaNs"},
	{"wait: 1ms", "wait: [1ms]"}, {"wait: 1ms", "wait: {a: 1ms}"}, {"wait: 1ms", "wait: 1ms, wait: 2ms"}, {"wait: 1ms", "spread: -1"}, {"wait: 1ms", "spread: 1e400"}, {"wait: 1ms", "spread: .nan"},
	{"cpu: 5", "cpu: 99999999999999999999"}, {"cpu: 5", "cpu: 0x7fffffffffffffff"}, {"cpu: 5", "cpu: 1e30"}, {"cpu: 5", "cpu: 5.5"}, {"cpu: 5", "cpu: [5]"}, {"cpu: 5", "cpu: 0b11"}, {"cpu: 5", "cpu: 1:30"},
	{"cpu: 5", "workers: -1"}, {"cpu: 5", "workers: 99999999999"}, {"cpu: 5", "queue: 1e9"}, {"cpu: 5", "bulkhead: 0"}, {"cpu: 5", "breaker: 200%"}, {"cpu: 5", "breaker: [1]"}, {"cpu: 5", "timeout: 0s"}, {"cpu: 5", "payload: 99GB"},
	{"cpu: 5", "payload: -1"}, {"cpu: 5", "budget: 2"}, {"cpu: 5", "undo: scale.Weigh"}, {"cpu: 5", "undo: {scale.Weigh: {}}"}, {"cpu: 5", "undo: {desk.Undo: {wait: 1ms}, desk.Other: {}}"}, {"cpu: 5", "retry: 3 within 99999999999999999999s"},
	{"after: desk.Take", "after: desk.take"}, {"after: desk.Take", "after: ghost.Step"}, {"after: desk.Take", "after: [desk.Take, [scale.Weigh]]"}, {"after: desk.Take", "after: {desk.Take: 1}"}, {"after: desk.Take", "after: ''"},
	{"scale.Weigh: {after", "scale.Weigh: {after: desk.Take}\n  scale.Weigh: {after"}, {"scale.Weigh: {after", "'scale.Weigh\\n': {after"}, {"scale.Weigh: {after", strings.Repeat("s", 4000) + ".Weigh: {after"}, {"scale.Weigh: {after", "scale..Weigh: {after"},
	{"message: parcel.taken", "message: ../../etc/passwd"}, {"message: parcel.taken", "message: ''"}, {"message: parcel.taken", "message: " + strings.Repeat("t", 300)}, {"message: parcel.taken", "message: __consumer_offsets"}, {"message: parcel.taken", "message: ..."}, {"message: parcel.taken", "message: parcel.taken.dlq"},
	{"{each: grpc}", "{each: carrier-pigeon}"}, {"{each: grpc}", "[]"}, {"{each: grpc}", "grpc"}, {"{each: grpc}", "{each: [grpc, http]}"}, {"{each: grpc}", "{each: grpc, answer: never}"}, {"{each: grpc}", "{each: grpc, ghost.Do: kafka}"}, {"{each: grpc}", "{each: grpc, each: kafka}"},
	{"  grpc: {", "  GRPC: {"}, {"  grpc: {", "  'a b': {"}, {"  grpc: {", "  kafka: {"}, {"  grpc: {", "  \U0001F600: {"}, {"weight: 1..30", "weight: 30..1"}, {"weight: 1..30", "weight: 1..99999999999999999999"}, {"weight: 1..30", "weight: text 1..999999999"},
	{"weight: 1..30", "weight: one of"}, {"weight: 1..30", "weight: one of " + strings.Repeat("x ", 1900)}, {"weight: 1..30", "weight: "}, {"weight: 1..30", "'': 1..3"}, {"too_heavy: 409", "too_heavy: x"}, {"too_heavy: 409", "Too: 409"}, {"too_heavy: 409", "too_heavy: 409.5"},
	{"forms:", "...\nforms:"}, {"forms:", "forms: &x"}, {"forms:", "fomrs:"}, {"forms:", "forms: []\nx:"}, {"when: kind = big", "when: kind == big"}, {"when: kind = big", "when: [a]"}, {"when: kind = big", "share: -0.1"}, {"when: kind = big", "share: 1e-400"},
	{"[3ms, 4ms, 9ms]", "[3ms, 4ms, 9ms, 10ms]"}, {"[3ms, 4ms, 9ms]", "[3, 4, 9]"}, {"[3ms, 4ms, 9ms]", "3ms"}, {"[3ms, 4ms, 9ms]", "[[3ms], 4ms, 9ms]"}, {"[3ms, 4ms, 9ms]", "[-3ms, 4ms, 9ms]"},
	{"forms:", "#" + strings.Repeat("&a *a ", 500) + "\n&a [*a, *a]: x\nforms:"}, {"forms:", "a: &a [lol]\nb: &b [*a,*a]\nforms:"}, {"forms:", strings.Repeat("x: ", 1000) + "\nforms:"}, {"forms:", strings.Repeat("? ", 20) + "\nforms:"}, {"forms:", "\"" + strings.Repeat("\\x00", 900) + "\": 1\nforms:"},
}

// TestHostileFlowsAreRefused with the line, the way out, and without much work.
func TestHostileFlowsAreRefused(t *testing.T) {
	for _, h := range hostileFlows {
		content := strings.Replace(small, h[0], h[1], 1)
		if content == small {
			t.Errorf("%q is not in the flow", h[0])
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Parse("p.yaml", []byte(content))
		runtime.ReadMemStats(&after)
		wrong, ok := errors.AsType[*Error](err)
		if !ok || wrong.Line == 0 {
			t.Errorf("%.60q: %v, want an error with a line", h[1], err)
			continue
		}
		if !remedy.MatchString(wrong.Problem) {
			t.Errorf("%.60q: %v, want a way out", h[1], err)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 20<<20 || len(err.Error()) > 600 {
			t.Errorf("%.60q: %d bytes allocated, %d bytes of error", h[1], used, len(err.Error()))
		}
	}
}

// remedy finds what a message tells its reader to do.
var remedy = regexp.MustCompile(`\b(use|write|leave|give|did you mean|close|compare|name|choose|save|break|such as|has small letters|own)\b`)

// TestANameThatIsTooLongIsToldSo, not that it has letters which it has.
func TestANameThatIsTooLongIsToldSo(t *testing.T) {
	long := strings.Repeat("a", 130)
	for _, c := range []struct{ old, name, limit string }{
		{"flow: parcel", "flow: " + long, "at most 40"},
		{"body:", "unit: " + long + "\nbody:", "at most 30"},
		{"  truck.Load:", "  " + long + ".Load:", "at most 40"},
		{"  grpc:", "  " + long + ":", "at most 30"},
		{"message: parcel.taken", "message: " + long, "at most 120"},
		{"{name: text", "{" + long + ": text", "at most 40"},
		{"{too_heavy:", "{" + long + ":", "at most 64"},
	} {
		text := strings.Replace(small, c.old, c.name, 1)
		if text == small {
			t.Fatalf("%q is not in\n%s", c.old, small)
		}
		if _, err := Parse("p.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), c.limit) {
			t.Errorf("%s: %v, want %q", c.old, err, c.limit)
		}
	}
}

// TestPlainFilesAreRead: what editors do to the ends of lines and to a file's begin changes nothing.
func TestPlainFilesAreRead(t *testing.T) {
	want, err := Parse("p.yaml", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"byte order mark": "\ufeff" + small, "CRLF": strings.ReplaceAll(small, "\n", "\r\n"), "both": "\ufeff" + strings.ReplaceAll(small, "\n", "\r\n"),
		"no last line end": strings.TrimSuffix(small, "\n"), "tabs behind values": strings.ReplaceAll(small, "wait: 1ms}", "wait: 1ms}\t# a remark"),
	} {
		got, err := Parse("p.yaml", []byte(content))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(want.Rows, got.Rows); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if _, err := ReadFile(t.TempDir()); err == nil || !strings.Contains(err.Error(), "name a file") {
		t.Errorf("a directory: %v, want that a file is named", err)
	}
}
