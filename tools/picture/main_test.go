package main

import (
	"bytes"
	"errors"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tracelab/internal/parts"
	"tracelab/tools/internal/chromium"
)

// TestAnyPage makes a picture of a page on loopback, as large as asked for.
func TestAnyPage(t *testing.T) {
	if _, err := chromium.Find(); err != nil {
		t.Skip(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!doctype html><title>page</title><h1>Orders</h1>"))
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "page.png")
	var progress bytes.Buffer
	if err := run(t.Context(), []string{"-page", server.URL, "-size", "640x480", "-out", file}, &progress); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // only read
	made, err := png.DecodeConfig(f)
	if err != nil || made.Width != 640 || made.Height != 480 {
		t.Errorf("a picture of %d x %d, %v; want 640 x 480", made.Width, made.Height, err)
	}
	if !strings.Contains(progress.String(), "page.png: 640 x 480, ") {
		t.Errorf("it says %q", progress.String())
	}
}

func TestWrongCommandLine(t *testing.T) {
	for _, c := range []struct {
		name, want string
		args       []string
	}{
		{"unknown picture", `no picture "nothing": there are order, `, []string{"nothing"}},
		{"unknown flag", "wrong command line", []string{"-x"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := run(t.Context(), c.args, &bytes.Buffer{})
			if !errors.Is(err, errUsage) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// TestPicturesAreShown holds that each picture is there, is small, and stands on a page of the repository.
func TestPicturesAreShown(t *testing.T) {
	root, err := parts.Root()
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		pages, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, page := range pages {
			content, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			text.Write(content)
		}
	}
	for _, p := range pictures {
		info, err := os.Stat(filepath.Join(root, "docs", p.name+".png"))
		if err != nil || info.Size() > limit {
			t.Errorf("%s: %v, or more than %d bytes", p.name, err, limit)
		}
		if !strings.Contains(text.String(), p.name+".png)") {
			t.Errorf("no page shows %s.png", p.name)
		}
	}
}
