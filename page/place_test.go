package page

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"tracelab/internal/testkit"
	"tracelab/lab"
)

// soon is how long a test waits for what comes in milliseconds on a machine that has time.
const soon = time.Minute

// TestPlaceInEveryForm places twins, with script and without, and finds them side by side and in the square.
func TestPlaceInEveryForm(t *testing.T) {
	l := sharedLab(t)
	b := serve(t, l)
	if text := b.get("/"); !strings.Contains(text, "Place one in every form") || !strings.Contains(text, "The four corners") {
		t.Errorf("the page does not say what to do first: %s", text)
	}
	b.postDone("/place", "form=all")
	body := url.Values{"token": {b.server.token}, "form": {"corners"}}.Encode()
	answer, text := b.send(http.MethodPost, "/place", body, "Accept: application/json")
	var said struct {
		Say   string
		Parts map[string]string
	}
	if err := json.Unmarshal([]byte(text), &said); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%d %s: %v", answer.StatusCode, text, err)
	}
	if !strings.Contains(said.Say, "grpc: answered 201 after") || !strings.Contains(said.Parts["square"], "waits") {
		t.Errorf("the script is told %q, and has parts %q", said.Say, said.Parts)
	}
	recent, _ := l.Recent()
	testkit.Await(t, "all are done", soon, func(context.Context) error {
		if text = b.get("/"); strings.Contains(text, "under way") {
			return fmt.Errorf("some are under way: %v", recent)
		}
		return nil
	})
	for _, line := range recent {
		if line.Key.Number < recent[0].Key.Number-1 { // of other tests
			continue
		}
		if link := fmt.Sprintf(`href="/journeys/%s/%d"`, line.Key.Form, line.Key.Number); !strings.Contains(text, link) {
			t.Errorf("the page does not lead to %s", link)
		}
	}
	if answer, text = b.post("/place", "form=gprc"); answer.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(text, "Did you mean grpc?") {
		t.Errorf("a wrong form: %d %s", answer.StatusCode, text)
	}
}

// TestStream starts, changes and stops a stream, and refuses what is no rate, with what was typed kept.
func TestStream(t *testing.T) {
	l := sharedLab(t)
	b := serve(t, l)
	b.postDone("/stream", "do=start", "rate=20", "form=grpc", "form=kafka")
	if got := l.Stream(); got.Rate != 20 || len(got.Forms) != 2 {
		t.Errorf("the stream is %+v", got)
	}
	if text := b.get("/"); !strings.Contains(text, "<strong>20 orders/s</strong>") {
		t.Errorf("another tab does not see the stream: %s", text)
	}
	for _, rate := range []string{"", "many", "-1", "NaN", "Inf", "1001", "1e99", "1e-300", `"><script>`} {
		answer, text := b.post("/stream", "do=start", "rate="+rate, "form=grpc")
		if answer.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(text, "use a number from 0.001 to 1000") || strings.Contains(text, "<script>") {
			t.Errorf("rate %q: %d %s", rate, answer.StatusCode, text)
		}
		if rate == "many" && !strings.Contains(text, `value="many"`) {
			t.Error("what was typed is gone")
		}
	}
	if answer, text := b.post("/stream", "do=start", "rate=5"); answer.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(text, "no form is chosen") {
		t.Errorf("no form: %d %s", answer.StatusCode, text)
	}
	b.postDone("/stream", "do=stop")
	if got := l.Stream(); got.Rate != 0 {
		t.Errorf("the stream is %+v", got)
	}
}

// TestLiveCountsAreTheAccounts compares the page with the lab's own sums once nothing is under way.
func TestLiveCountsAreTheAccounts(t *testing.T) {
	l := sharedLab(t)
	b := serve(t, l)
	b.postDone("/place", "form=grpc")
	var text string
	var snapshot lab.Snapshot
	testkit.Await(t, "the lab is at rest", soon, func(context.Context) error {
		if text = b.get("/live"); !strings.Contains(text, "All sums hold") {
			return fmt.Errorf("the sums: %s", text)
		}
		snapshot = l.Snapshot()
		return nil
	})
	for _, form := range snapshot.Forms {
		a, row := form.Accounts, ""
		for _, n := range []int{a.Placed, a.Answered, a.Errors, a.Unanswered, a.Accepted, a.Pending, a.Completed, a.Failed, a.Refused, a.Unknown, a.Lost} {
			row += fmt.Sprintf(`<td class="num">%d</td>`, n)
		}
		if !strings.Contains(text, row) {
			t.Errorf("%s: the page does not have %s", form.Form, row)
		}
	}
	wrong := imbalances("grpc", lab.Accounts{Placed: 2, Accepted: 1, Answered: 2, Completed: 1})
	if len(wrong) != 1 || !strings.HasPrefix(wrong[0], "grpc: accounts do not balance") {
		t.Errorf("sums that do not hold: %q", wrong)
	}
}
