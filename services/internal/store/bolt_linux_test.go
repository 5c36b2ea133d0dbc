package store

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestAFullDisk is an error that names the file, and nothing half done: neither the unit nor its message nor its sum is there. With room again, all goes on.
func TestAFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	b, err := OpenBolt(path, Limits{Units: 1000})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	create := func(number int) error {
		id := fmt.Sprint(number)
		u := &Unit{ID: id, Run: "r", Form: "kafka", Since: time.Now(), Body: map[string]string{"customer": strings.Repeat("x", 2000)}}
		return b.Create(t.Context(), u, Sums{"accepted": 1}, Message{Key: id, Value: []byte(strings.Repeat("y", 2000))})
	}
	whole := func(units int) {
		t.Helper()
		sums, sumErr := b.Sums(t.Context(), "r")
		waiting, waitErr := b.Waiting(t.Context(), 1000)
		page, _, pageErr := b.Page(t.Context(), "r", 0, 1000)
		if n := sums["kafka"]["accepted"]; sumErr != nil || waitErr != nil || pageErr != nil || int(n) != units || len(waiting) != units || len(page) != units {
			t.Errorf("%d counted, %d messages, %d units, want %d of each; %v %v %v", n, len(waiting), len(page), units, sumErr, waitErr, pageErr)
		}
	}
	made := 0
	for ; made < 5; made++ {
		if err := create(made); err != nil {
			t.Fatal(err)
		}
	}
	about, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	signal.Ignore(syscall.SIGXFSZ) // a write beyond the limit fails, as one on a full disk does
	defer signal.Reset(syscall.SIGXFSZ)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: uint64(about.Size()), Max: limit.Max}); err != nil {
		t.Fatal(err)
	}
	for err = nil; err == nil && made < 500; {
		if err = create(made); err == nil {
			made++
		}
	}
	restored := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit)
	if restored != nil {
		t.Fatal(restored)
	}
	if err == nil || !strings.Contains(err.Error(), "file too large") || !strings.Contains(err.Error(), "store file "+path) || !strings.Contains(err.Error(), "make room") {
		t.Errorf("on a full disk: %v, want the file, the reason and the way out", err)
	}
	whole(made)
	if err := create(made); err != nil {
		t.Errorf("with room again: %v", err)
	}
	whole(made + 1)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if b, err = OpenBolt(path, Limits{Units: 1000}); err != nil {
		t.Fatal(err)
	}
	whole(made + 1)
}
