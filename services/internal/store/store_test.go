package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestEffectsAreNotedByUnitAndStep(t *testing.T) {
	inEach(t, Limits{Effects: 100}, func(s *tested) {
		for _, c := range []struct {
			unit, step     string
			handling, want uint64
		}{{"a", "payment.Charge", 7, 7}, {"b", "payment.Charge", 8, 8}, {"b", "payment.Charge", 9, 8}, {"c", "x", 1 << 63, 1 << 63}} {
			if stands, err := s.Put(s.ctx, c.unit, c.step, c.handling); err != nil || stands != c.want {
				s.Errorf("note %d of %s of %q: %d stands, %v, want %d", c.handling, c.step, c.unit, stands, err, c.want)
			}
		}
		s.again()
		for _, c := range []struct {
			unit, step string
			want       uint64
		}{{"a", "payment.Charge", 7}, {"b", "payment.Charge", 8}, {"c", "x", 1 << 63}, {"a", "shipping.Dispatch", 0}, {"d", "payment.Charge", 0}, {"", "", 0}} {
			if got, err := s.Find(s.ctx, c.unit, c.step); s.reopen == nil && err == nil && got != c.want || s.reopen != nil && (err != nil || got != c.want) {
				s.Errorf("%s of %q: handling %d, %v, want %d", c.step, c.unit, got, err, c.want)
			}
		}
	})
}

// TestOneOfManyNotesStands whoever notes the same effect at the same time.
func TestOneOfManyNotesStands(t *testing.T) {
	inEach(t, Limits{Effects: 10_000}, func(s *tested) {
		var mu sync.Mutex
		stood := map[string]map[uint64]bool{}
		var wg sync.WaitGroup
		for i := range 64 {
			wg.Go(func() {
				unit := fmt.Sprint(i % 8)
				stands, err := s.Put(s.ctx, unit, "s", uint64(i+1))
				if err != nil {
					s.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if stood[unit] == nil {
					stood[unit] = map[uint64]bool{}
				}
				stood[unit][stands] = true
			})
		}
		wg.Wait()
		for unit, handlings := range stood {
			found, err := s.Find(s.ctx, unit, "s")
			s.must(err)
			if len(handlings) != 1 || !handlings[found] {
				s.Errorf("unit %s: %v stand, %d is found: want one", unit, handlings, found)
			}
		}
	})
}

// TestAUnitIsKeptWhole through a change and the next process.
func TestAUnitIsKeptWhole(t *testing.T) {
	inEach(t, Limits{Units: 100}, func(s *tested) {
		want := &Unit{
			ID: "a", Run: "r \x7f\"'", Form: "kafka", Number: 7, Status: "accepted", Holder: 3, Since: time.Now().Round(time.Millisecond).UTC(), Body: map[string]string{"customer": "ada\x00 \\u0000 €", "quantity": "2"},
			Steps: []string{"orders.Accept"}, Arrived: []Arrival{{"orders.Complete", "shipping.Dispatch"}}, Handlings: []Handling{{1 << 63, "orders.Accept"}, {ID: 2}},
		}
		s.must(s.Create(s.ctx, want, Sums{"accepted": 1, "once/orders.Accept": 1}))
		s.must(s.Update(s.ctx, "a", func(u *Unit) (Sums, bool) {
			u.Failures = append(u.Failures, Failure{Step: "payment.Charge", Reason: "payment_declined", Detail: "\"no\"\x00", Attempts: 3, DeadLetter: true})
			u.Status, u.Final = "failed", true
			return Sums{"failed": 1}, true
		}))
		if s.again() {
			s.must(s.Update(s.ctx, "a", func(*Unit) (Sums, bool) { return nil, false }))
		}
		want.Failures, want.Status, want.Final = []Failure{{Step: "payment.Charge", Reason: "payment_declined", Detail: "\"no\"\x00", Attempts: 3, DeadLetter: true}}, "failed", true
		got, err := s.Get(s.ctx, "a")
		s.must(err)
		got.Since = got.Since.UTC()
		if diff := cmp.Diff(want, got); diff != "" {
			s.Errorf("(-want +got):\n%s", diff)
		}
		sums, err := s.Sums(s.ctx, want.Run)
		s.must(err)
		if diff := cmp.Diff(map[string]Sums{"kafka": {"accepted": 1, "once/orders.Accept": 1, "failed": 1}}, sums); diff != "" {
			s.Errorf("sums (-want +got):\n%s", diff)
		}
		if _, err := s.Get(s.ctx, "nobody"); !errors.Is(err, ErrUnknown) {
			s.Errorf("a unit that there is not: %v, want ErrUnknown", err)
		}
		if err := s.Update(s.ctx, "nobody", func(*Unit) (Sums, bool) { return Sums{"x": 1}, true }); !errors.Is(err, ErrUnknown) {
			s.Errorf("change a unit that there is not: %v, want ErrUnknown", err)
		}
	})
}

// TestChangesAtTheSameTime: none is lost, and each is counted once.
func TestChangesAtTheSameTime(t *testing.T) {
	inEach(t, Limits{Units: 100}, func(s *tested) {
		s.create("a")
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				err := s.Update(s.ctx, "a", func(u *Unit) (Sums, bool) {
					u.Steps = append(u.Steps, fmt.Sprint(i))
					return Sums{"steps": 1, "undone": int64(i%2*2 - 1)}, true
				})
				if err != nil {
					s.Error(err)
				}
			})
		}
		wg.Wait()
		u, err := s.Get(s.ctx, "a")
		s.must(err)
		sums, err := s.Sums(s.ctx, "r")
		s.must(err)
		if len(u.Steps) != 21 || !cmp.Equal(sums["kafka"], Sums{"accepted": 1, "steps": 20}) {
			s.Errorf("%d steps, sums %v, want 21, and 20 counted", len(u.Steps), sums)
		}
	})
}

func TestAReservedKey(t *testing.T) {
	inEach(t, Limits{Units: 1}, func(s *tested) {
		key, other := KeyOf("r", "k"), KeyOf("r", "other")
		reserve := func(key Key, unit string, want string) Reservation {
			s.Helper()
			r, taken, err := s.Reserve(s.ctx, Reservation{Key: key, Unit: unit, Request: KeyOf("body"), Since: time.Now()})
			s.must(err)
			if taken != (unit == want) || r.Unit != want || r.Request != KeyOf("body") {
				s.Errorf("reserve for %s: %+v, taken %v, want %s to have it", unit, r, taken, want)
			}
			return r
		}
		unit := func(id string, key Key) *Unit {
			return &Unit{ID: id, Run: "r", Form: "grpc", Key: key, Status: "accepted", Since: time.Now()}
		}
		reserve(key, "a", "a")
		reserve(key, "b", "a")
		reserve(other, "b", "b")
		s.must(s.Release(s.ctx, key, "b")) // not its own
		reserve(key, "b", "a")
		s.must(s.Release(s.ctx, key, "a"))
		reserve(key, "c", "c")
		if err := s.Create(s.ctx, unit("a", key), Sums{"accepted": 1}); !errors.Is(err, ErrNotReserved) {
			s.Errorf("a unit whose key another one has: %v, want ErrNotReserved", err)
		}
		s.must(s.Create(s.ctx, unit("c", key), Sums{"accepted": 1}))
		s.must(s.Answer(s.ctx, key, "a", []byte("of another")))
		s.must(s.Answer(s.ctx, key, "c", []byte("answered")))
		s.again()
		if s.reopen != nil || s.About().Name == "memory" {
			if r := reserve(key, "d", "c"); string(r.Answer) != "answered" {
				s.Errorf("answer %q, want the unit's own", r.Answer)
			}
		}
		s.end("c")
		s.create("e") // there is room for one
		reserve(key, "f", "f")
	})
}

// TestPagesListARunByAge, whatever other runs do.
func TestPagesListARunByAge(t *testing.T) {
	inEach(t, Limits{Units: 100}, func(s *tested) {
		var want []string
		for i := range 23 {
			want = append(want, s.create(fmt.Sprint(i)).ID)
			s.must(s.Create(s.ctx, &Unit{ID: fmt.Sprint("other", i), Run: "other", Form: "grpc", Since: time.Now()}, nil))
		}
		for _, limit := range []int{1, 5, 22, 23, 24} {
			if diff := cmp.Diff(want, s.listed("r", limit)); diff != "" {
				s.Errorf("pages of %d (-want +got):\n%s", limit, diff)
			}
		}
		if ids := s.listed("nobody's", 5); len(ids) != 0 {
			s.Errorf("%v listed of a run that there is not", ids)
		}
	})
}

// TestMessagesWaitInTheirOrder until they are removed, and are there after a restart.
func TestMessagesWaitInTheirOrder(t *testing.T) {
	inEach(t, Limits{Units: 100}, func(s *tested) {
		message := func(key, topic string) Message {
			return Message{Key: key, Carrier: "kafka", Topic: topic, Value: []byte("{\x00}"), Headers: map[string]string{"traceparent": "00-1-2-01"}, Since: time.Now()}
		}
		s.create("a", message("a", "order.placed"), message("a", "second"))
		s.create("b", message("b", "order.placed"))
		s.must(s.Enqueue(s.ctx, message("a", "third")))
		expect := func(limit int, want ...string) (ids []uint64) {
			s.Helper()
			_, err := s.Adopt(s.ctx) // what an earlier process has left
			s.must(err)
			waiting, err := s.Waiting(s.ctx, limit)
			s.must(err)
			var got []string
			for _, m := range waiting {
				got, ids = append(got, m.Key+" "+m.Topic), append(ids, m.ID)
				if string(m.Value) != "{\x00}" || m.Headers["traceparent"] != "00-1-2-01" || m.Carrier != "kafka" {
					s.Errorf("message %+v, want it as it was given", m)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" || !slices.IsSorted(ids) {
				s.Errorf("waiting (-want +got):\n%s%v", diff, ids)
			}
			return ids
		}
		expect(2, "a order.placed", "a second")
		ids := expect(10, "a order.placed", "a second", "b order.placed", "a third")
		s.must(s.Remove(s.ctx, ids[0], ids[2]))
		s.must(s.Remove(s.ctx, ids[0])) // a relay may be told twice
		if s.again() {
			expect(10, "a second", "a third")
		}
		ids = expect(10, "a second", "a third")
		if n, err := s.Backlog(s.ctx); n != 2 || err != nil {
			s.Errorf("%d messages, %v, want 2", n, err)
		}
		s.must(s.Remove(s.ctx, ids...))
		expect(10)
	})
}

// TestLostUnits are those in the memory of a process that is gone; what messages carry on is not.
func TestLostUnits(t *testing.T) {
	inEach(t, Limits{Units: 100}, func(s *tested) {
		held := func(id string, holder uint64) {
			s.must(s.Create(s.ctx, &Unit{ID: id, Run: "r", Form: "ack", Holder: holder, Since: time.Now()}, Sums{"accepted": 1}))
		}
		first := s.About().Holder
		for _, id := range []string{"a", "b", "c"} {
			held(id, first)
		}
		held("message", 0)
		s.end("b")
		expect := func(what string, want map[string]int) {
			s.Helper()
			lost, err := s.Lost(s.ctx, "r")
			if err != nil || !cmp.Equal(lost, want) && len(lost)+len(want) > 0 {
				s.Errorf("%s: %v lost, %v, want %v", what, lost, err, want)
			}
		}
		expect("while the process lives", nil)
		s.must(s.Disown(s.ctx))
		expect("when a part of it was killed", map[string]int{"ack": 2})
		held("d", first)
		s.end("a")
		expect("for those that come later", map[string]int{"ack": 1})
		if s.again() {
			if s.About().Holder == first {
				s.Errorf("the next process is holder %d, too", first)
			}
			expect("after its end", map[string]int{"ack": 2}) // c and d
		}
	})
}

func TestAFileIsOneProcessesOwn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	first, err := OpenBolt(path, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenBolt(path, Limits{}); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "another process") {
		t.Errorf("open while it is open: %v, want the file and the way out", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
}
