//go:build browser

package browsertest

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"tracelab/internal/parts"
)

// program is tracelab up, built and running.
type program struct {
	base    string // http://127.0.0.1:PORT
	pid     int
	started time.Time
}

// up builds the program and starts tracelab up, which ends with the test.
func up(t *testing.T) *program {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "tracelab")
	if text, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "tracelab/cmd/tracelab").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	cmd := exec.Command(binary, "up", "--listen", "127.0.0.1:0")
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p := &program{started: time.Now()}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.pid = cmd.Process.Pid
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	if err != nil {
		t.Error("tracelab up says nothing:", err)
	}
	rest := make(chan struct{})
	go func() { defer close(rest); _, _ = io.Copy(io.Discard, lines) }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGINT) // Wait says how it ended
		<-rest
		if err := cmd.Wait(); err != nil {
			t.Errorf("tracelab up ended with %v:\n%s", err, log.String())
		}
	})
	if p.base = regexp.MustCompile(`http://[0-9.:]+`).FindString(line); p.base == "" {
		t.Fatalf("no address in %q", line)
	}
	return p
}

// memory is the resident memory of the program in MB, where the system tells it; else 0.
func (p *program) memory(t *testing.T) float64 {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.pid), "status"))
	if err != nil {
		t.Log("this system does not tell:", err)
		return 0
	}
	m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(text)
	if m == nil {
		t.Fatalf("no VmRSS in\n%s", text)
	}
	kB, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return kB / 1024
}

// post sends a form as another tab would.
func (p *program) post(t *testing.T, path string, fields url.Values) {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	answer, err := client.Get(p.base + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	page, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	token := regexp.MustCompile(`name="token" content="([^"]+)"`).FindSubmatch(page)
	if token == nil {
		t.Fatalf("no token in\n%s", page)
	}
	fields.Set("token", string(token[1]))
	answer, err = client.PostForm(p.base+path, fields)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusSeeOther {
		text, _ := io.ReadAll(answer.Body) // what there is of it
		t.Fatalf("POST %s: %d %s", path, answer.StatusCode, text)
	}
}

// axe is the text of axe-core.
func axe(t *testing.T) string {
	t.Helper()
	file := os.Getenv("AXE_CORE")
	if file == "" {
		cache, err := parts.CacheFolder()
		if err != nil {
			t.Fatal(err)
		}
		found, _ := filepath.Glob(filepath.Join(cache, "axe-core-*", "node_modules", "axe-core", "axe.min.js")) // the pattern is right
		file = strings.Join(found[max(0, len(found)-1):], "")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("axe-core is not here (%v): run .ci/run browser, which gets it, or name its axe.min.js by AXE_CORE", err)
	}
	return string(text)
}
