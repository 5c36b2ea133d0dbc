package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const sample = `syntax = "proto3";
package sample.v1;
import "sample/item.proto";
import "google/protobuf/duration.proto";
option go_package = "example/sample";

// Shop sells.
service Shop {
  // Buy waits for the item.
  rpc Buy(Item) returns (google.protobuf.Duration);
}
`

const sampleItem = `syntax = "proto3";
package sample.v1;
option go_package = "example/sample";

// Item is what is sold.
message Item { string id = 1; }
`

// TestWriteThenCheck holds the round that CI relies on: what was written passes -check, an edited or missing file does not.
func TestWriteThenCheck(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "sample", "shop.proto"), sample)
	write(t, filepath.Join(root, "sample", "item.proto"), sampleItem)
	generate := func(flags ...string) (int, string) {
		var stderr bytes.Buffer
		code := run(t.Context(), append(flags, "-root", root, "sample/shop.proto", "sample/item.proto"), &stderr)
		return code, stderr.String()
	}

	if code, text := generate("-check"); code != 1 || !strings.Contains(text, "sample/shop_grpc.pb.go is missing") {
		t.Errorf("before generating: -check gives %d, %q, want 1 and the missing file", code, text)
	}
	if code, text := generate(); code != 0 {
		t.Fatalf("generate gives %d: %s", code, text)
	}
	for name, comment := range map[string]string{"shop_grpc.pb.go": "// Buy waits for the item.", "item.pb.go": "// Item is what is sold."} {
		code, err := os.ReadFile(filepath.Join(root, "sample", name))
		if err != nil || !strings.Contains(string(code), comment) {
			t.Errorf("%s does not have the comment %q of its .proto (%v)", name, comment, err)
		}
	}
	if code, text := generate("-check"); code != 0 || text != "" {
		t.Errorf("after generating: -check gives %d, %q, want 0 and silence", code, text)
	}
	write(t, filepath.Join(root, "sample", "item.pb.go"), "package sample\n")
	if code, text := generate("-check"); code != 1 || !strings.Contains(text, "sample/item.pb.go is not what") || strings.Contains(text, "shop") {
		t.Errorf("after an edit: -check gives %d, %q, want 1 and only the edited file", code, text)
	}
}

func TestBrokenInput(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "bad.proto"), "syntax = \"proto3\";\nmessage {\n")
	for _, c := range []struct {
		args []string
		code int
		text string
	}{
		{[]string{"-root", root, "bad.proto"}, 1, "bad.proto:2:9"},
		{[]string{"-root", root, "absent.proto"}, 1, "absent.proto"},
		{[]string{"-root", root}, 2, "no .proto file named"},
		{[]string{"-unknown"}, 2, "-unknown"},
	} {
		var stderr bytes.Buffer
		if code := run(t.Context(), c.args, &stderr); code != c.code || !strings.Contains(stderr.String(), c.text) {
			t.Errorf("%q gives %d, %q, want %d and %q", c.args, code, stderr.String(), c.code, c.text)
		}
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
