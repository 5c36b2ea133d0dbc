package lab_test

import (
	"cmp"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tracelab/internal/testkit"
	"tracelab/lab"
	"tracelab/services"
)

// TestLiveStreamKeepsItsMemory: a stream over calls and messages leaves nothing behind but counts. Once all that is bounded is full, the records of the
// embedded Kafka included, the heap stays as it is.
// TRACELAB_LIVE_UNITS sets how many units there are in all.
func TestLiveStreamKeepsItsMemory(t *testing.T) {
	testkit.Unraced(t, "TestPropertyLiveAccounts")
	units, err := strconv.Atoi(cmp.Or(os.Getenv("TRACELAB_LIVE_UNITS"), "450"))
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		const rate, kept = 400, 20
		l := openLive(t, lab.Config{Seed: 1, Forms: []services.Form{services.GRPC, services.Kafka}, Remembered: 40, HeldSpans: 2000, Network: (&virtualNetwork{}).network()}, kept)
		defer closeLive(t, l)
		heap := func() (mib float64) { // after a third of the units
			if err := l.SetStream(lab.Stream{Rate: rate, Forms: l.Forms()}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(units/3) * time.Second / rate)
			if err := l.SetStream(lab.Stream{}); err != nil {
				t.Fatal(err)
			}
			rest(t, l)
			time.Sleep(time.Minute) // connections that idle are closed
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return float64(m.HeapAlloc) / (1 << 20)
		}
		heap() // fills what is bounded
		first, second := heap(), heap()
		s := l.Snapshot()
		for _, f := range s.Forms {
			if a := f.Accounts; a.Placed < units*9/20 || a.Completed != a.Placed || len(a.Problems()) > 0 {
				t.Errorf("%s: %+v", f.Form, a)
			}
		}
		if s.Kept > kept {
			t.Errorf("%d units are kept", s.Kept)
		}
		if open := lab.OpenSpansOf(l); open > 0 {
			t.Errorf("%d spans count as open", open)
		}
		if second > first+2 {
			t.Errorf("the heap grows: %.1f MiB, then %.1f MiB", first, second)
		}
		t.Logf("%.1f MiB, then %.1f MiB", first, second)
	})
}

// TestLiveStreamStopsWhereTheLabIsFull: while a service stands still, a stream places so many units as may be under way and counts the others; once it
// goes on, all that were placed are done.
func TestLiveStreamStopsWhereTheLabIsFull(t *testing.T) {
	testkit.Unraced(t, "TestPropertyLiveAccounts")
	synctest.Test(t, func(t *testing.T) {
		l := openLive(t, lab.Config{Seed: 1, Forms: []services.Form{services.Kafka}, Network: (&virtualNetwork{}).network()}, 20)
		defer closeLive(t, l)
		if err := l.Do(t.Context(), lab.Event{Do: "pause", Part: "payment"}); err != nil {
			t.Fatal(err)
		}
		if err := l.SetStream(lab.Stream{Rate: lab.MostRate, Forms: l.Forms()}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second)
		s := l.Snapshot()
		if a := s.Forms[0].Accounts; a.Placed > 2*lab.MostUnderWay || a.Placed < lab.MostUnderWay || !strings.Contains(strings.Join(s.Problems, "\n"), "orders of this stream were not placed") {
			t.Errorf("%+v, problems %q", a, s.Problems)
		}
		if err := l.SetStream(lab.Stream{}); err != nil {
			t.Fatal(err)
		}
		if err := l.Do(t.Context(), lab.Event{Do: "start", Part: "payment"}); err != nil {
			t.Fatal(err)
		}
		if a := rest(t, l).Forms[0].Accounts; a.Completed != a.Placed || len(a.Problems()) > 0 {
			t.Errorf("at rest: %+v", a)
		}
	})
}
