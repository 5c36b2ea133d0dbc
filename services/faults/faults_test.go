package faults

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

var services = []string{"payment", "shipping"}

func TestParse(t *testing.T) {
	for text, want := range map[string]Fault{
		"payment:delay=200ms":                  {Service: "payment", Kind: "delay", Value: "200ms", Share: 1},
		"payment:delay=200ms@0.5":              {Service: "payment", Kind: "delay", Value: "200ms", Share: 0.5},
		"shipping:hang=30s@1":                  {Service: "shipping", Kind: "hang", Value: "30s", Share: 1},
		"payment:error=payment_declined@1e-3":  {Service: "payment", Kind: "error", Value: "payment_declined", Share: 0.001},
		"payment:error=payment_declined@0.001": {Service: "payment", Kind: "error", Value: "payment_declined", Share: 0.001},
		"payment:delay=1s@0.5,from=2s,to=4s":   {Service: "payment", Kind: "delay", Value: "1s", Share: 0.5, From: 2 * time.Second, To: 4 * time.Second},
		"payment:error=busy,attempt=1,to=1m":   {Service: "payment", Kind: "error", Value: "busy", Share: 1, To: time.Minute, Attempt: 1},
	} {
		got, err := Parse(text, services)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", text, err, diff)
		}
	}
}

// TestParseErrors name the part that is wrong and what would be right.
func TestParseErrors(t *testing.T) {
	for text, word := range map[string]string{
		"":                                         "SERVICE:KIND",
		"payment":                                  "SERVICE:KIND",
		"bank:error=x":                             "payment, shipping",
		":error=x":                                 "payment, shipping",
		"payment:":                                 "delay, error, hang",
		"payment:explode=1":                        "delay, error, hang",
		"payment:delay":                            "duration such as 200ms",
		"payment:delay=fast":                       "duration such as 200ms",
		"payment:delay=0s":                         "over 0",
		"payment:delay=-1s":                        "over 0",
		"payment:delay=61s":                        "1m0s",
		"payment:hang=31s":                         "30s",
		"payment:error=":                           "lower case",
		"payment:error=Declined!":                  "lower case",
		"payment:error=x@0":                        "share",
		"payment:error=x@-1":                       "share",
		"payment:error=x@1.1":                      "share",
		"payment:error=x@NaN":                      "share",
		"payment:error=x@":                         "share",
		"payment:error=x@y":                        "share",
		"payment:error=x,frm=2s":                   "use one of from, to, attempt",
		"payment:error=x,from=2":                   "a time of the run such as 2s",
		"payment:error=x,to=-1s":                   "a time of the run such as 2s",
		"payment:error=x,attempt=0":                "a number from 1 to 100",
		"payment:error=x,from=2s,to=2s":            "would end before it begins",
		"payment:error=x,from=2s,from=3s":          "from is there twice",
		"payment:error=x,":                         "use one of from, to, attempt",
		"payment:error=" + strings.Repeat("x", 65): "lower case",
	} {
		if _, err := Parse(text, services); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%q: %v, want an error with %q", text, err, word)
		}
	}
}

// FuzzParse: what Parse accepts, String writes so that Parse reads the same, and it fits into a list.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"payment:delay=200ms@0.5", "payment:error=x", "shipping:hang=1.5s@1e-3", "payment:delay=1µs@0x1p-2", "payment:delay=+1s@.5", "payment:error=a@b@0.5", "payment:error=x@0.5,from=2s,to=4s,attempt=1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first, err := Parse(text, services)
		if err != nil {
			return
		}
		second, err := Parse(first.String(), services)
		if diff := cmp.Diff(first, second); err != nil || diff != "" {
			t.Fatalf("%q is written as %q: %v (-first +second):\n%s", text, first.String(), err, diff)
		}
		list := Split(Join([]Fault{first, second, first}))
		if diff := cmp.Diff([]string{first.String(), first.String(), first.String()}, list); diff != "" {
			t.Fatalf("%q in a list (-want +got):\n%s", text, diff)
		}
		if !(first.Share > 0 && first.Share <= 1) {
			t.Fatalf("%q: share %v", text, first.Share)
		}
	})
}

func TestKindsExplainThemselves(t *testing.T) {
	all := strings.Join(Kinds(), "\n")
	for _, word := range []string{"delay=DURATION", "error=REASON", "hang=DURATION"} {
		if !strings.Contains(all, word) {
			t.Errorf("no %s in:\n%s", word, all)
		}
	}
}

func TestActs(t *testing.T) {
	gone := errors.New("gone")
	for _, c := range []struct {
		fault   string
		leaves  time.Duration // when the caller goes; 0: it waits
		takes   time.Duration
		want    error
		explain string
	}{
		{"payment:delay=2s", 0, 2 * time.Second, nil, "waits, then lets the work begin"},
		{"payment:delay=2s", time.Second, time.Second, gone, "ends with its caller"},
		{"payment:error=no_money", 0, 0, &Error{"no_money"}, "fails at once"},
		{"payment:hang=2s", 0, 2 * time.Second, &Error{"hang"}, "fails in the end"},
		{"payment:hang=2s", time.Second, 2 * time.Second, &Error{"hang"}, "is deaf to its caller, but ends"},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			if c.leaves > 0 {
				time.AfterFunc(c.leaves, func() { cancel(gone) })
			}
			f, err := Parse(c.fault, services)
			if err != nil {
				t.Fatal(err)
			}
			begin := time.Now()
			err = f.Act(ctx)
			took := time.Since(begin)
			var fault *Error
			if errors.As(c.want, &fault) {
				var got *Error
				if !errors.As(err, &got) || *got != *fault {
					t.Errorf("%s: %v, want %v: it %s", c.fault, err, c.want, c.explain)
				}
			} else if !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v: it %s", c.fault, err, c.want, c.explain)
			}
			if took != c.takes {
				t.Errorf("%s: took %v, want %v: it %s", c.fault, took, c.takes, c.explain)
			}
		})
	}
}

// TestSplitTakesALongListApartAtOnce, and leaves empty parts between faults out.
func TestSplitTakesALongListApartAtOnce(t *testing.T) {
	begin := time.Now()
	long := "payment:delay=1s" + strings.Repeat(",to=2s", 1_000_000)
	want := []string{long, "orders:error=no,,from=1s,", "stock:hang"}
	if got := Split(",," + strings.Join(want, ",")); !slices.Equal(got, want) {
		t.Errorf("%d parts, the last %q", len(got), got[len(got)-1])
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}
