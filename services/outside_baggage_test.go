package services

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

const aPot = `{"customer":"ada","sku":"tea-green","quantity":1}`

// TestForgedOrderID: in every form, and however a client writes it, the spans have the id that orders gave, or none.
func TestForgedOrderID(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		for _, form := range Forms() {
			for name, lines := range map[string][]string{
				"plain":            {KeyOrderID + "=forged"},
				"among others":     {"a=1," + KeyOrderID + "=forged,b=2"},
				"white space":      {" \t" + KeyOrderID + " = forged "},
				"properties":       {KeyOrderID + "=forged;p=forged;q"},
				"percent-encoded":  {KeyOrderID + "=%66orged"},
				"not UTF-8":        {KeyOrderID + "=forged%FF%FE"},
				"twice":            {KeyOrderID + "=forged," + KeyOrderID + "=forged2"},
				"over lines":       {"a=1", KeyOrderID + "=forged", KeyOrderID + "=forged2"},
				"beside a mistake": {"broken," + KeyOrderID + "=forged"},
			} {
				e := in(name, form)
				e.Number = len(l.ended())
				var headers []string
				for _, line := range lines {
					headers = append(headers, "Baggage", line)
				}
				id := l.await(l.place(e, tea, headers...).id()).ID
				l.until("all steps have ended", func() bool { return len(l.steps(e)) == len(everyStep) })
				for _, span := range l.spansOf(e) {
					if got := attributes(span)[KeyOrderID].AsString(); got != id && (got != "" || serviceOf(span) != Gateway) {
						t.Errorf("%s, %s: %s of %s has the order id %q, want %q", form, name, span.Name(), serviceOf(span), got, id)
					}
				}
				l.noneOf("forged")
			}
		}
	})
}

// TestSenselessExperiment: a request whose experiment makes no sense is refused, and no span takes it for its own.
func TestSenselessExperiment(t *testing.T) {
	long := strings.Repeat("forged", 200)
	inBubble(t, func(l *testLab) {
		for _, c := range []struct{ key, value, says string }{
			{KeyRun, long, "use at most 100"},
			{KeyRun, strings.Repeat("%FF%FE", 101), "use at most 100"},
			{KeyForm, "forged", KeyForm},
			{KeyForm, "rest%FF", KeyForm},
			{KeyFlow, "forged", KeyFlow},
			{KeyRelation, "forged", KeyRelation},
			{KeyNumber, "forged", "use a number"},
			{KeyNumber, "-1", "use a number"},
			{KeyNumber, "99999999999999999999", "use a number"},
			{KeySeed, "forged", "use a number"},
			{KeyFaults, "forged", KeyFaults},
		} {
			before := len(l.ended())
			// The valid rest of the experiment is not taken either.
			all := []string{KeyRun + "=forged", KeyNumber + "=7", KeyOrderID + "=forged"}
			all = slices.DeleteFunc(all, func(m string) bool { return strings.HasPrefix(m, c.key+"=") })
			header := http.Header{"Content-Type": {"application/json"}, "Baggage": append(all, c.key+"="+c.value)}
			a := l.send(l.Context(), http.MethodPost, "/orders", aPot, header)
			if detail := a.problem(t).Detail; a.status != http.StatusBadRequest || !strings.Contains(detail, c.says) {
				t.Errorf("%s=%.20s: answer %d %q, want 400 and %q", c.key, c.value, a.status, detail, c.says)
			}
			l.until("the span has ended", func() bool { return len(l.ended()) > before })
			for _, span := range l.ended()[before:] {
				for key, value := range attributes(span) {
					if slices.Contains(BaggageKeys(), string(key)) {
						t.Errorf("%s=%.20s: %s has %s=%q", c.key, c.value, span.Name(), key, value.AsString())
					}
				}
			}
		}
		l.checkNoOrders()
	})
}

// TestBaggageThatIsNotUTF8: what a value decodes to has U+FFFD in the place of such bytes, in all spans of the order.
func TestBaggageThatIsNotUTF8(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		for _, form := range Forms() {
			// place writes its own baggage first. Of two members with one key the last counts.
			e := in("tea\uFFFD\uFFFDtime", form)
			for _, relation := range []Relation{RelationBoth, RelationLink} {
				e.Relation = relation
				e.Number++
				a := l.place(e, tea, "Baggage", KeyRun+"=tea%ff%c3time;p=%ff", "Tracestate", "k=\xff\xfe")
				l.await(a.id())
				l.until("all steps have ended", func() bool { return len(l.steps(e)) == len(everyStep) })
			}
		}
		for _, span := range l.ended() {
			checkUTF8(t, span)
		}
	})
}

// noneOf checks that no span of the services has a string with part in it.
func (l *testLab) noneOf(part string) {
	l.Helper()
	for _, span := range l.ended() {
		for key, value := range attributes(span) {
			if text := value.String(); strings.Contains(text, part) || !utf8.ValidString(text) {
				l.Errorf("%s of %s has %s=%q", span.Name(), serviceOf(span), key, text)
			}
		}
	}
}
