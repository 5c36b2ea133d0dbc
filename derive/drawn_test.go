package derive_test

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"tracelab/derive"
	"tracelab/journey"
	"tracelab/services/flows"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

func afters(f *flows.Flow) map[string]string {
	m := map[string]string{}
	for _, row := range f.Rows {
		var list []string
		for _, a := range row.After {
			list = append(list, string(a))
		}
		m[string(row.Step)] = strings.Join(list, " ")
	}
	return m
}

// TestATreeOfCalls: what is called one after another comes after another, what is called side by side does not; work behind calls is a step of
// its own; costs are what an operation did itself.
func TestATreeOfCalls(t *testing.T) {
	d, err := derive.From(drawn(hotel(), 60, 0.1), derive.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"frontend.GETHotels": "", "srv-search.Nearby": "frontend.GETHotels",
		"srv-geo.Nearby": "srv-search.Nearby", "srv-rate.GetRates": "srv-search.Nearby", "memcached-rate.GetMulti": "srv-rate.GetRates",
		"srv-search.NearbyEnd":              "srv-geo.Nearby memcached-rate.GetMulti",
		"srv-reservation.CheckAvailability": "srv-search.NearbyEnd", "srv-profile.GetProfiles": "srv-reservation.CheckAvailability",
		"frontend.GETHotelsEnd": "srv-profile.GetProfiles",
	}
	if diff := cmp.Diff(want, afters(d.Flow)); diff != "" {
		t.Errorf("after (-want +got):\n%s\n%s", diff, d.YAML)
	}
	for step, median := range map[string]time.Duration{"frontend.GETHotels": ms, "srv-search.NearbyEnd": 4 * ms, "srv-geo.Nearby": 6 * ms, "srv-profile.GetProfiles": 7 * ms} {
		row, _ := d.Flow.Row(flows.Step(step))
		if got := row.Cost.Wait; got < median*9/10 || got > median*11/10 || len(row.Cost.Quantiles) != 3 {
			t.Errorf("%s takes %v %v, want about %v and quantiles", step, got, row.Cost.Quantiles, median)
		}
	}
	if forms := d.Flow.Forms(); !slices.Equal(forms, []flows.Form{"traced", "grpc", "kafka"}) {
		t.Errorf("forms %v\n%s", forms, d.YAML)
	}
	// lab runs this file in all its forms.
	const golden = "testdata/hotel.yaml"
	if *update {
		if err := os.WriteFile(golden, d.YAML, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(text), string(d.YAML)); diff != "" {
		t.Errorf("%s (-golden +got, -update writes it):\n%s", golden, diff)
	}
}

// TestLateTimersArePaidOnce: each wait is shorter by what a run adds to it, and never below nothing; the file says so.
func TestLateTimersArePaidOnce(t *testing.T) {
	const late = 500 * time.Microsecond
	from := func(late derive.Lateness) *derive.Derived {
		d, err := derive.From(drawn(hotel(), 60, 0.1), derive.Options{Late: late})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	exact, shorter := from(nil), from(derive.Lateness{late, late, late})
	for i, row := range exact.Flow.Rows {
		got, want := shorter.Flow.Rows[i].Cost, row.Cost
		if less := want.Wait - got.Wait; want.Wait > 0 && (less < late-20*time.Microsecond || less > late+20*time.Microsecond) {
			t.Errorf("%s waits %v, want 0.5 ms less than %v", row.Step, got.Wait, want.Wait)
		}
		if (len(got.Quantiles) == 0) != (len(want.Quantiles) == 0) {
			t.Errorf("%s: quantiles %v, had %v", row.Step, got.Quantiles, want.Quantiles)
		}
	}
	if says := "which end about 500µs late"; !strings.Contains(comments(shorter), says) || strings.Contains(comments(exact), "late on the machine") {
		t.Errorf("want %q, and only where waits are shorter:\n%s", says, shorter.YAML)
	}
	synctest.Test(t, func(t *testing.T) {
		for _, late := range derive.TimerLateness() {
			if late != 0 {
				t.Errorf("a timer of virtual time is %v late", late)
			}
		}
	})
}

// TestClustersOfAMillisecond: waits around 2 ms that a timer ends with whole milliseconds were seen as 2 and 3 ms; their median is told as 2 ms.
func TestClustersOfAMillisecond(t *testing.T) {
	late := make(derive.Lateness, 20)
	for i := range late {
		late[i] = time.Duration(i) * 50 * time.Microsecond
	}
	r := rand.New(rand.NewPCG(1, 2))
	var journeys []*journey.Journey
	for i := range 400 {
		wait := 2 * math.Exp(0.22*r.NormFloat64())
		d := &drawer{rand: r}
		d.draw(uint64(i), journey.SpanID{}, journey.KindServer, node{service: "desk", name: "Take", work: time.Duration(math.Ceil(wait)) * ms}, 0)
		journeys = append(journeys, journey.NewSet(d.spans).Journeys()...)
	}
	d, err := derive.From(journeys, derive.Options{Late: late})
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Flow.Rows[0].Cost.Wait; got < 1850*time.Microsecond || got > 2150*time.Microsecond {
		t.Errorf("it waits %v, want about 2 ms\n%s", got, d.YAML)
	}
}

// TestFewJourneysAreNoOrder: under twenty observations nothing that was called side by side or one after another is told apart: a comment says
// what was seen.
func TestFewJourneysAreNoOrder(t *testing.T) {
	for _, c := range []struct {
		journeys, atLeast int
		after             string
	}{{19, 0, "frontend.GETHotels"}, {20, 0, "srv-reservation.CheckAvailability"}, {3, 3, "srv-reservation.CheckAvailability"}} {
		d, err := derive.From(drawn(hotel(), c.journeys, 0.1), derive.Options{AtLeast: c.atLeast})
		if err != nil {
			t.Fatal(err)
		}
		if got := afters(d.Flow)["srv-profile.GetProfiles"]; got != c.after {
			t.Errorf("%d journeys, at least %d: after %s, want %s\n%s", c.journeys, c.atLeast, got, c.after, d.YAML)
		}
		said := strings.Contains(comments(d), " it began after srv-reservation.CheckAvailability had ended 19 of 19 times: too few to tell, from 20 on it is taken for given")
		if said != (c.journeys == 19) {
			t.Errorf("%d journeys: the comment is there: %v\n%s", c.journeys, said, d.YAML)
		}
	}
}

// TestAnOrderThatIsNotAlwaysKept is a comment.
func TestAnOrderThatIsNotAlwaysKept(t *testing.T) {
	js := drawn(node{service: "a", name: "Go", work: ms, calls: [][]node{{{service: "b", name: "One", work: ms}}, {{service: "c", name: "Two", work: ms}}}}, 39, 0.1)
	side := drawn(node{service: "a", name: "Go", work: ms, calls: [][]node{{{service: "b", name: "One", work: ms}, {service: "c", name: "Two", work: ms}}}}, 1, 0.1)
	d, err := derive.From(append(js, side...), derive.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if afters(d.Flow)["c.Two"] != "a.Go" || !strings.Contains(comments(d), " it began after b.One had ended 39 of 40 times: not always, so they are side by side") {
		t.Errorf("c.Two comes after %q\n%s", afters(d.Flow)["c.Two"], d.YAML)
	}
}

// TestMessagesFanOutAndJoin: one record reaches two services; what they send back meets in the entry's service.
func TestMessagesFanOutAndJoin(t *testing.T) {
	back := []node{{service: "shop", name: "done", work: ms}}
	d, err := derive.From(drawn(node{service: "shop", name: "POST /carts", work: ms, sends: []node{
		{service: "mail", name: "placed", work: 3 * ms, sends: back}, {service: "stock", name: "placed", work: 5 * ms, sends: back},
	}}, 20, 0.1), derive.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"shop.POSTCarts": "", "mail.ProcessPlaced": "shop.POSTCarts", "stock.ProcessPlaced": "shop.POSTCarts", "shop.ProcessDone": "mail.ProcessPlaced stock.ProcessPlaced"}
	if diff := cmp.Diff(want, afters(d.Flow)); diff != "" {
		t.Errorf("after (-want +got):\n%s\n%s", diff, d.YAML)
	}
	mail, _ := d.Flow.Row("mail.ProcessPlaced")
	stock, _ := d.Flow.Row("stock.ProcessPlaced")
	if mail.Message != "placed" || stock.Message != "placed" {
		t.Errorf("topics %s and %s, want placed\n%s", mail.Message, stock.Message, d.YAML)
	}
}

// TestNamesThatAreNone are mapped, said, and told apart.
func TestNamesThatAreNone(t *testing.T) {
	call := func(service, name string) []node { return []node{{service: service, name: name, work: ms}} }
	d, err := derive.From(drawn(node{service: "gateway", name: "GET /a b/{x}", work: ms, calls: [][]node{
		call("Cart Service", "Get"), call("cart-service", "get"), call("cart-service", "GET"), call("订单", "创建"), call("client", "x\n# y: {"), call("9to5", "7"),
	}, sends: []node{{service: "z", name: "a b/c", work: ms}, {service: "y", name: "a-b c", work: ms}}}, 20, 0.1), derive.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range d.Flow.Rows {
		got = append(got, string(row.Step)+" "+row.Message)
	}
	for _, want := range []string{
		"gateway-service.GETABX ", "cart-service.Get ", "cart-service-2.Get ", "cart-service-2.GET2 ", "service.Work ", "client-service.XY ", "s-9to5.Id ",
		"z.ProcessABC a-b-c", "y.ProcessABC a-b-c-2",
	} {
		if !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, want) }) {
			t.Errorf("no %q among %q", want, got)
		}
	}
	for _, said := range []string{`service is the service "订单"`, `the operation "x\n# y: {"`, `Cart-service is the service "Cart Service"`, `its topic is "a b/c"`} {
		if !strings.Contains(strings.ToLower(comments(d)), strings.ToLower(said)) {
			t.Errorf("no %q in\n%s", said, d.YAML)
		}
	}
}

// TestStepsOfSomeJourneys are drawn by their share.
func TestStepsOfSomeJourneys(t *testing.T) {
	n := node{service: "a", name: "Go", work: ms, calls: [][]node{{{service: "b", name: "Often", work: ms}, {service: "c", name: "Seldom", work: ms, seldom: 0.3}}}}
	d, err := derive.From(drawn(n, 100, 0.1), derive.Options{})
	if err != nil {
		t.Fatal(err)
	}
	row, _ := d.Flow.Row("c.Seldom")
	if row.Share < 0.2 || row.Share > 0.4 || !strings.Contains(comments(d), "of 100 journeys have it") {
		t.Errorf("share %v\n%s", row.Share, d.YAML)
	}
}

// TestTooManyOperations are refused in words.
func TestTooManyOperations(t *testing.T) {
	group := make([]node, 10_000)
	for i := range group {
		group[i] = node{service: fmt.Sprintf("s%d", i/100), name: fmt.Sprintf("op-%c%c%c", 'a'+i%26, 'a'+i/26%26, 'a'+i/676), work: ms}
	}
	_, err := derive.From(drawn(node{service: "a", name: "Go", work: ms, calls: [][]node{group}}, 2, 0), derive.Options{})
	if err == nil || err.Error() != "10001 different operations, and a flow has at most 200 steps: choose journeys of one root, leave services out, or take ids out of the names of spans" {
		t.Errorf("%v", err)
	}
	wide := group[:90]
	d, err := derive.From(drawn(node{service: "a", name: "Go", work: ms, end: 30 * ms, calls: [][]node{wide}}, 20, 0), derive.Options{})
	if err != nil || len(d.Flow.Rows) != 92 {
		t.Errorf("%v", err)
	}
	var deep node
	for i := range 150 {
		deep = node{service: fmt.Sprint("s", i%7), name: "Go", work: ms, calls: [][]node{{deep}}}
	}
	if _, err = derive.From(drawn(deep, 20, 0), derive.Options{}); err != nil {
		t.Errorf("a circle of services: %v", err)
	}
}

// TestALoneSettleIsNamedOtherwise: behind a lone step the lab puts one of that name.
func TestALoneSettleIsNamedOtherwise(t *testing.T) {
	d, err := derive.From(drawn(node{service: "till", name: "Settle", work: ms}, 20, 0.1), derive.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if steps := d.Flow.Steps(); !slices.Equal(steps, []flows.Step{"till.Settle2", "till.Settle"}) {
		t.Errorf("steps %v", steps)
	}
}

// comments are the comments of a file, each on one line as if none were wrapped.
func comments(d *derive.Derived) string {
	var b strings.Builder
	for line := range strings.Lines(string(d.YAML)) {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), "#"); ok {
			b.WriteString(text)
		}
	}
	return b.String()
}

// TestTheFileFitsAScreen: no line that can be broken has more than 80 columns.
func TestTheFileFitsAScreen(t *testing.T) {
	d, err := derive.From(drawn(hotel(), 19, 0.1), derive.Options{From: "a directory with a long name/of traces that somebody has recorded somewhere"})
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(d.YAML)) {
		if words := strings.Fields(line); utf8.RuneCountInString(line) > 81 && len(words) > 2 {
			t.Errorf("%d columns: %s", utf8.RuneCountInString(line)-1, line)
		}
	}
}
