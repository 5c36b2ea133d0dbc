package journey_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"tracelab/journey"
)

func TestWhatIf(t *testing.T) {
	tests := []struct {
		why, drawing, step string
		factor             float64
		want               string // caller wait and completion in milliseconds
	}{
		{"nothing changes", "S 0-100\n  A 10-50\n  B 50-90", "A", 1, "100 100"},
		{"a call in sequence takes no time: all that follows comes earlier", "S 0-100\n  A 10-50\n  B 50-90", "A", 0, "60 60"},
		{"half of it", "S 0-100\n  A 10-50\n  B 50-90", "A", 0.5, "80 80"},
		{"twice", "S 0-100\n  A 10-50\n  B 50-90", "A", 2, "140 140"},
		{"side by side with one that ends later: nothing is won", "S 0-100\n  A 10-50\n  B 10-90", "A", 0, "100 100"},
		{"of two side by side the longer: the other is what is waited for then", "S 0-100\n  A 10-50\n  B 10-90", "B", 0, "60 60"},
		{"the caller's own work", "S 0-100\n  A 10-50\n  B 50-90", "S", 0, "80 80"},
		{"work within work", "S 0-100\n  A 10-50\n    C 20-40", "C", 0, "80 80"},
		{"work behind a message does not touch the caller", "S 0-50\n  P PRODUCER 10-20\n    C CONSUMER 60-160\n      DB 70-150", "DB", 0, "50 80"},
		{"work before a message moves both; the queue is as long as it was", "S 0-50\n  A 0-10\n  P PRODUCER 10-20\n    C CONSUMER 60-160", "A", 0, "40 150"},
		{"a join of two messages waits for the later one", "S 0-50\n  P PRODUCER 10-20\n  Q PRODUCER 20-40\nC CONSUMER 45-100 link=P link=Q trace=2", "Q", 0, "30 80"},
		{"without the later one the other is waited for", "S 0-50\n  P PRODUCER 10-38\n  Q PRODUCER 10-40\nC CONSUMER 45-100 link=P link=Q trace=2", "Q", 0, "48 93"},
		{"what a caller does while a call runs is not taken for work", "S 0-100\n  A 10-50\n  B 30-60", "S", 0, "50 50"},
		{"a call that ends with its caller", "S 0-100\n  A 10-100", "A", 0, "10 10"},
		{"the earlier of the two is not waited for", "S 0-50\n  P PRODUCER 10-12\n  Q PRODUCER 10-40\nC CONSUMER 45-100 link=P link=Q trace=2", "P", 0, "50 100"},
		{"detached work goes on alone", "S 0-50\n  G 40-2000", "G", 0.5, "50 1020"},
		{"a message that overtook its acknowledgement still comes after its send began", "S 0-50\n  P PRODUCER 10-40\n    C CONSUMER 30-160", "S", 0, "30 150"},
	}
	for _, c := range tests {
		t.Run(c.why, func(t *testing.T) {
			j := newSet(t, c.drawing).Journeys()[0]
			x := j.WhatIf(func(i journey.Index) float64 {
				if j.Set().Span(i).Name == c.step {
					return c.factor
				}
				return 1
			})
			if got := fmt.Sprint(float64(x.CallerWait)/1e6, float64(x.Completion)/1e6); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// Unchanged work gives the times that were, whatever the data; less work never makes anything later, more never earlier.
func TestReplayHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, j := range journey.NewSet(anySpans(t)).Journeys() {
			wait, _ := j.CallerWait()
			was := journey.Replay{CallerWait: wait, Completion: j.Completion()}
			if x := j.WhatIf(func(journey.Index) float64 { return 1 }); x != was {
				t.Fatalf("unchanged: %+v, it was %+v", x, was)
			}
			pick := journey.Index(rapid.IntRange(0, j.Set().Len()-1).Draw(t, "span"))
			one := func(f float64) journey.Replay {
				return j.WhatIf(func(i journey.Index) float64 {
					if i == pick {
						return f
					}
					return 1
				})
			}
			less, more := one(0.25), one(3)
			if less.CallerWait > wait || less.Completion > was.Completion || more.CallerWait < wait || more.Completion < was.Completion {
				t.Fatalf("with less of span %d %+v, it was %+v, with more %+v", pick, less, was, more)
			}
		}
	})
}

func TestBranches(t *testing.T) {
	write := func(j *journey.Journey) (list []string) {
		for _, b := range j.Branches() {
			via := "nothing"
			if b.Via >= 0 {
				via = j.Set().Span(b.Via).Name
			}
			list = append(list, fmt.Sprintf("%s after %s ends %v slack %v", j.Set().Span(b.Span).Name, via, float64(b.End)/1e6, float64(b.Slack)/1e6))
		}
		return list
	}
	drawing, err := os.ReadFile(filepath.Join("compare", "testdata", "kafka.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		why, drawing string
		want         []string
	}{
		{"calls alone are one branch, the caller's", "S 0-100\n  A 10-50\n  B 50-90", []string{"S after nothing ends 100 slack 0"}},
		{"three branches of an order end in the join, one of them last", string(drawing), []string{
			"process-order.fulfilled after send-order.fulfilled ends 50 slack 0", "process-order.fulfilled after send-order.fulfilled.2 ends 40.2 slack 9.8", "process-order.fulfilled after send-order.fulfilled.3 ends 35.2 slack 14.8",
		}},
		{"detached work that ends before its caller's caller has slack", "S 0-100\n  A 10-20\n    G 15-60\n", []string{"S after nothing ends 100 slack 0", "G after A ends 60 slack 40"}},
	} {
		equalLines(t, c.why, write(newSet(t, c.drawing).Journeys()[0]), c.want)
	}
	rapid.Check(t, func(t *rapid.T) {
		for _, j := range journey.NewSet(anySpans(t)).Journeys() {
			for k, b := range j.Branches() {
				if k == 0 && b.Slack != 0 {
					t.Fatalf("no branch ends last: %+v", j.Branches())
				}
				if b.Slack < 0 || b.End+b.Slack != j.Completion() || !j.Contains(b.Span) {
					t.Fatalf("branch %+v of a journey that completes after %d", b, j.Completion())
				}
			}
		}
	})
}
