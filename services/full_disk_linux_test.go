package services

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tracelab/internal/postgres"
	"tracelab/internal/postgres/postgrestest"
	"tracelab/internal/testkit"
)

// smallDisk is a file system of its own, in memory, which a test fills.
type smallDisk struct {
	*testing.T
	dir string
}

// diskSize is enough for an empty PostgreSQL with its log of 16 MB.
const diskSize = 96 << 20

// mountDisk mounts a small disk. Where that is not allowed the test is not tried: TestAServerThatSaysItsDiskIsFull goes without.
func mountDisk(t *testing.T) smallDisk {
	t.Helper()
	dir, err := os.MkdirTemp("", "tracelab-disk-") //nolint:usetesting // the folders of t.TempDir are closed to the user that runs PostgreSQL
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(dir) }) // it is empty then
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=755", diskSize)); err != nil {
		t.Skipf("not tried on a full file system, which this user cannot mount: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
	return smallDisk{t, dir}
}

func (d smallDisk) ballast() string { return filepath.Join(d.dir, "ballast") }

// fill takes all the room that is left.
func (d smallDisk) fill() {
	d.Helper()
	file, err := os.Create(d.ballast())
	if err != nil {
		d.Fatal(err)
	}
	for piece := make([]byte, 4096); err == nil; {
		_, err = file.Write(piece)
	}
	if closed := file.Close(); closed != nil || !errors.Is(err, syscall.ENOSPC) {
		d.Fatalf("fill the disk: %v, %v", err, closed)
	}
}

// free gives the room back.
func (d smallDisk) free() {
	d.Helper()
	if err := os.Remove(d.ballast()); err != nil {
		d.Fatal(err)
	}
}

// execute runs a statement on a server.
func execute(t *testing.T, url, sql string) error {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		return err
	}
	_, err = conn.Exec(t.Context(), sql)
	_ = conn.Close(t.Context()) // the server may be gone
	return err
}

// fullDisk is services whose store has a disk that is full at times.
type fullDisk struct {
	*testLab
	store    string // how answers name it
	forms    []Form
	number   int
	accepted map[Form][]string
}

// onFullDisk runs f with them.
func onFullDisk(t *testing.T, at, name string, forms []Form, f func(d *fullDisk)) {
	t.Helper()
	store, err := OpenStore(t.Context(), at, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	onLoopback(t, func(l *testLab) {
		f(&fullDisk{testLab: l, store: name, forms: forms, accepted: map[Form][]string{}})
		l.must(l.stop(patience))
	}, func(c *Config) { c.Store = store })
}

// place places an order, and tells whether it was refused for the store, in its words. Whatever else is no success is an error.
func (d *fullDisk) place(form Form, want string) (refused bool) {
	d.Helper()
	e := in("r", form)
	e.Number = d.number
	d.number++
	a := d.testLab.place(e, tea)
	if a.id() != "" {
		d.accepted[form] = append(d.accepted[form], a.id())
	}
	if a.status/100 == 2 {
		return false
	}
	if form == "reply" && a.status == http.StatusGatewayTimeout { // the work goes on, and the reply comes later
		return false
	}
	if p := a.problem(d.T); a.status != http.StatusServiceUnavailable || !strings.Contains(p.Detail, d.store) || !strings.Contains(p.Detail, want) {
		d.Errorf("%s: answered %d %s, want 503 with the store's name and %q", form, a.status, a.body, want)
	}
	return true
}

// placeUntilRefused places orders until the store takes no more of any form.
func (d *fullDisk) placeUntilRefused(want string) {
	d.Helper()
	for deadline, refused := time.Now().Add(patience), 0; refused < len(d.forms); {
		if time.Now().After(deadline) {
			d.Fatalf("%d orders placed, and the disk is not full", d.number)
		}
		refused = 0
		for _, form := range d.forms {
			if d.place(form, want) {
				refused++
			}
		}
	}
}

// goOn holds that all that was accepted comes to its end, that the accounts say so, and that orders are taken again.
func (d *fullDisk) goOn(when string) {
	d.Helper()
	for _, form := range d.forms {
		d.until(when+": an order of "+string(form)+" is taken", func() bool { return !d.place(form, "") })
	}
	for form, ids := range d.accepted {
		for _, id := range ids {
			if s := d.await(id); s.Status != Completed && (form == Kafka || form == "reply") {
				d.Errorf("%s: %s: %s is %s: %+v", when, form, id, s.Status, s.Failures)
			}
		}
		d.until(when+": the accounts of "+string(form)+" balance", func() bool {
			a := d.summary().Forms[form]
			return a.Accepted == len(ids) && a.Completed+a.Failed == len(ids) && a.Pending == 0 && a.Lost == 0
		})
		for step, effect := range d.summary().Forms[form].Effects {
			if effect.Twice != 0 || effect.Once > len(ids) {
				d.Errorf("%s: %s: %s: %+v, want each effect once", when, form, step, effect)
			}
		}
	}
	d.until(when+": the outbox is empty", func() bool { return d.backlog() == 0 })
}

// everyCorner are forms that carry an order by messages and by calls, and answer early and late.
var everyCorner = []Form{Kafka, GRPC, "ack", "reply"}

// TestAFullDiskUnderTheOutbox: while the broker takes nothing, messages fill the disk that holds the outbox. Then orders are refused, those that need no
// broker as well, and what was accepted is sent when there is room and the broker is back.
func TestAFullDiskUnderTheOutbox(t *testing.T) {
	t.Parallel()
	disk := mountDisk(t)
	file := filepath.Join(disk.dir, "store")
	onFullDisk(t, file, "store file "+file, []Form{Kafka, GRPC, "ack"}, func(d *fullDisk) {
		mend := d.cut()
		for range 3 {
			d.place(Kafka, "")
		}
		disk.fill()
		d.placeUntilRefused("make room on the disk")
		if d.backlog() == 0 {
			t.Error("no message waits in the outbox: nothing was tried")
		}
		disk.free()
		mend()
		d.goOn("with room again")
	})
}

// TestAFullDiskUnderPostgreSQL: while the disk of the server is full, orders are refused by the store's name and what was accepted waits; with room
// again all of it goes on. The same when the disk is so full that the server cannot write its log, and ends.
func TestAFullDiskUnderPostgreSQL(t *testing.T) {
	t.Parallel() // it waits, mostly
	disk := mountDisk(t)
	server, process := postgrestest.OwnIn(t, disk.dir)
	onFullDisk(t, process.URL(), " at "+process.Address, []Form{Kafka, GRPC, "ack"}, func(d *fullDisk) {
		for _, form := range d.forms {
			if d.place(form, "") {
				t.Fatalf("%s: refused before the disk is full", form)
			}
		}
		disk.fill()
		d.placeUntilRefused("make room on the disk")
		disk.free()
		d.goOn("with room again")

		disk.fill()
		for deadline := time.Now().Add(patience); postgres.Ping(t.Context(), process.Address) == nil; {
			_ = execute(t, process.URL(), "select pg_logical_emit_message(false, '', repeat('x', 20000000))") // more than one file of the log
			if time.Now().After(deadline) {
				t.Fatal("the server goes on without room for its log")
			}
		}
		disk.free()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		if _, err := server.Start(ctx, io.Discard); err != nil {
			t.Fatal(err)
		}
		d.goOn("with the server back")
	})
}

// fullNow lets a server refuse to write orders as one does whose disk is full, without a disk that is.
const fullNow = `create function full_now() returns trigger language plpgsql as $$ begin
	raise exception 'could not extend file "base/5/16400": No space left on device' using errcode = 'disk_full'; end $$;
create trigger full_now before insert or update on units for each statement execute function full_now();
create trigger full_now before insert or update on effects for each statement execute function full_now();
create trigger full_now before insert or update or delete on outbox for each statement execute function full_now();
create trigger full_now before insert or update on sums for each statement execute function full_now();
create trigger full_now before insert or update on keys for each statement execute function full_now()`

// TestAServerThatSaysItsDiskIsFull is TestAFullDiskUnderPostgreSQL where no file system can be mounted: the server's answer is the same.
func TestAServerThatSaysItsDiskIsFull(t *testing.T) {
	testkit.Unraced(t, "TestADiskThatFillsWhileOrdersAreWorkedOn")
	t.Parallel()
	url := postgresServer.URL(t)
	onFullDisk(t, url, " at "+postgresServer.Process(t).Address, everyCorner, func(d *fullDisk) {
		d.must(execute(t, url, fullNow))
		d.placeUntilRefused("make room on the disk")
		d.must(execute(t, url, "drop function full_now() cascade"))
		d.goOn("with room again")
	})
}
