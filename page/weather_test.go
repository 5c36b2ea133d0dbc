package page

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"tracelab/internal/testkit"
	"tracelab/lab"
	"tracelab/services"
)

// TestFaultsAndLinks switches faults, links and the relation, and finds them on the page and in the lab.
func TestFaultsAndLinks(t *testing.T) {
	l := sharedLab(t)
	b := serve(t, l)
	b.postDone("/conditions", "do=fault", "service=payment", "kind=delay", "value=20ms", "share=1")
	b.postDone("/conditions", "do=fault-text", "fault=orders:drop-context@0.5,inventory:duplicate")
	b.postDone("/conditions", "do=link", "from=orders", "to=payment", "link-kind=latency", "link-value=5ms")
	b.postDone("/conditions", "do=link-text", "link=client>gateway:jitter=1ms,latency=1ms")
	b.postDone("/conditions", "do=relation", "relation=link")
	text := b.get("/weather")
	for _, want := range []string{"payment:delay=20ms", "orders:drop-context@0.5", "inventory:duplicate", "orders&gt;payment:latency=5ms", "client&gt;gateway:latency=1ms,jitter=1ms", `id="relation-link" aria-pressed="true"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not show %s", want)
		}
	}
	if c := l.Conditions(); len(c.Faults) != 3 || len(c.Links) != 2 || c.Relation != services.RelationLink {
		t.Errorf("the lab has %+v", c)
	}
	b.postDone("/conditions", "do=faults-off")
	b.postDone("/conditions", "do=fault", "service=payment", "kind=delay", "value=20ms", "share=1")
	b.postDone("/place", "form=grpc")
	testkit.Await(t, "it fired", soon, func(context.Context) error {
		for _, fired := range l.Snapshot().Fired {
			if fired.Fault == "payment:delay=20ms" && fired.Fired > 0 {
				return nil
			}
		}
		return errors.New("it has not")
	})
	if text = b.get("/weather"); !strings.Contains(text, "a service acted on it") {
		t.Error("the page does not say what fired")
	}
	b.postDone("/conditions", "do=fault-off", "fault=payment:delay=20ms")
	b.postDone("/conditions", "do=link-off", "link=orders>payment:latency=5ms")
	if c := l.Conditions(); len(c.Faults) != 0 || len(c.Links) != 1 {
		t.Errorf("after two were switched off, the lab has %+v", c)
	}
	b.postDone("/conditions", "do=links-off")
	b.postDone("/conditions", "do=relation", "relation=both")
}

// TestAFailureIsInTheList: a failure behind the answer, of which the client hears nothing, is said in the list of journeys.
func TestAFailureIsInTheList(t *testing.T) {
	b := serve(t, sharedLab(t))
	b.postDone("/conditions", "do=fault-text", "fault=payment:error=payment_declined")
	defer b.postDone("/conditions", "do=faults-off")
	b.postDone("/place", "form=kafka")
	testkit.Await(t, "the failure in the list", soon, func(context.Context) error {
		if text := b.get("/journeys?form=kafka&state=failed"); !strings.Contains(text, "payment.Charge: payment_declined") {
			return errors.New("it is not there")
		}
		return nil
	})
}

// TestWrongConditions types what makes no sense: the page says why beside it, offers the nearest word, and keeps what was typed.
func TestWrongConditions(t *testing.T) {
	b := serve(t, sharedLab(t))
	for _, c := range []struct {
		fields     []string
		says, kept string
	}{
		{[]string{"do=fault-text", "fault=paymnt:delay=1s"}, "Did you mean payment?", `value="paymnt:delay=1s"`},
		{[]string{"do=fault-text", "fault=payment:dely=1s"}, "Did you mean delay?", `value="payment:dely=1s"`},
		{[]string{"do=fault-text", `fault="><script>alert(1)</script>`}, "write it as SERVICE:KIND", "&lt;script&gt;"},
		{[]string{"do=fault-text", "fault=" + strings.Repeat("x", 5000)}, "use up to 300", ""},
		{[]string{"do=fault-text", "fault=" + strings.Repeat("payment:poison,", 3) + "payment:poison"}, "is on already", ""},
		{[]string{"do=fault", "service=payment", "kind=delay", "value=soon", "share=1"}, "use a duration such as 200ms", `value="soon"`},
		{[]string{"do=fault", "service=payment", "kind=delay", "value=1s", "share=2"}, "use a number over 0 and up to 1", `value="2"`},
		{[]string{"do=link", "from=orders", "to=orders", "link-kind=cut", "link-value="}, "no connection to itself", ""},
		{[]string{"do=link-text", "link=orders>kafk:cut"}, "Did you mean kafka?", `value="orders&gt;kafk:cut"`},
		{[]string{"do=relation", "relation=parents"}, "Did you mean parent?", ""},
		{[]string{"do=everything"}, "no change", ""},
	} {
		answer, text := b.post("/conditions", c.fields...)
		if answer.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(text, c.says) || !strings.Contains(text, c.kept) || strings.Contains(text, "<script>alert") {
			t.Errorf("%.80q: %d, want %q and %s kept", c.fields, answer.StatusCode, c.says, c.kept)
		}
	}
	if got := b.server.Lab().Conditions(); len(got.Faults)+len(got.Links) > 0 {
		t.Errorf("something is on: %+v", got)
	}
}

// TestPartsAreKilledAndStarted kills a service, sees it said on every page, and starts it again.
func TestPartsAreKilledAndStarted(t *testing.T) {
	l := sharedLab(t)
	b := serve(t, l)
	b.postDone("/parts/gateway/kill")
	for _, path := range []string{"/", "/weather", "/live"} {
		if text := b.get(path); !strings.Contains(text, "gateway is down") {
			t.Errorf("%s does not say that a service is down", path)
		}
	}
	if answer, text := b.post("/parts/gatway/start"); answer.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(text, "Did you mean gateway?") {
		t.Errorf("a part that is not there: %d %s", answer.StatusCode, text)
	}
	if answer, _ := b.post("/parts/gateway/explode"); answer.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a deed that is not there: %d", answer.StatusCode)
	}
	b.postDone("/parts/gateway/start")
	for _, part := range l.Snapshot().Parts {
		if part.Name == "gateway" && part.State != "running" {
			t.Errorf("it is %s", part.State)
		}
	}
	kinds := kindsOf(services.FaultKinds())
	if len(kinds) < 11 || kinds[0].Name != "delay" || kinds[8].Name != "reorder" || kinds[8].Form != "reorder[=DURATION]" {
		t.Errorf("kinds of faults: %+v", kinds)
	}
	for _, link := range linkKinds() {
		if _, err := lab.ParseLink(l.Flow(), "orders>payment:"+kindText(link.Name, map[string]string{"latency": "1ms", "jitter": "1ms,latency=1ms", "bandwidth": "10"}[link.Name])); err != nil {
			t.Errorf("kind of link %+v: %v", link, err)
		}
	}
}
