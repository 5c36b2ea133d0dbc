//go:build browser

package browsertest

import (
	"testing"
	"time"
)

// stream places 1,000 units a second: the page neither grows nor freezes.
func stream(t *testing.T, v *visitor) {
	for _, path := range []string{"/journeys", "/"} {
		x := v.open(path)
		if path == "/journeys" { // the stream starts once, in a tab of its own
			y := v.open("/")
			is[bool](y, `(() => { const r = document.querySelector("#rate"); r.value = 1000; r.dispatchEvent(new Event("input", {bubbles: true})); return true })()`)
			y.click("#stream-start")
			y.await("the stream", `document.querySelector("#stream-stop")`)
			x.await("as many journeys as are kept", has("#journeys", "made room")+` || `+has("#journeys", "older ones"))
		}
		parts := `new Promise((done) => {
			let n = 0;
			const s = new EventSource("/events?page=" + location.pathname);
			s.addEventListener("parts", () => { if (++n === 4) { s.close(); done(document.querySelectorAll("*").length); } });
		})`
		before := is[int](x, parts)
		after := is[int](x, parts)
		if after > before+before/4 {
			t.Errorf("%s grows under load: %d elements and then %d", path, before, after)
		}
		slowest := is[float64](x, `(async () => {
			let times = [];
			for (let i = 0; i < 5; i++) {
				const began = performance.now();
				document.querySelector("nav a").focus();
				await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
				times.push(performance.now() - began);
			}
			return times.sort((a, b) => a - b)[2];
		})()`)
		t.Logf("%s at 1,000 units/s: %d elements, an interaction is drawn after %.0f ms (median of 5)", path, after, slowest)
		if slowest > 1000 {
			t.Errorf("%s freezes under load: an interaction takes %.0f ms", path, slowest)
		}
		x.picture("stream" + path)
	}
	answers(t, v)
	x := v.open("/")
	x.click("#stream-stop")
	x.await("the end of the stream", has("#stream-now", "No stream"))
	if mb := v.memory(t); mb > 0 {
		t.Logf("resident memory after the stream: %.0f MB", mb)
	}
}

// answers clicks while the units come: each click has its answer.
func answers(t *testing.T, v *visitor) {
	x := v.open("/journeys")
	for _, c := range []struct{ name, click, answer string }{
		{"a filter", "#form-kafka", `location.search.includes("kafka") && document.querySelector("#form-kafka[aria-current]")`},
		{"a link of the navigation", `nav a[href="/weather"]`, `location.pathname === "/weather" && document.querySelector("#fault-on")`},
		{"a fault switched on", "#fault-on", `document.querySelector("#faults-off")`},
		{"faults switched off", "#faults-off", has("#faults-now", "No fault is on")},
	} {
		began := time.Now()
		x.click(c.click)
		x.await("the answer to "+c.name, c.answer)
		t.Logf("%s at 1,000 units/s is answered after %v", c.name, time.Since(began).Round(time.Millisecond))
	}
	x.visit("/")
	x.await("that the stream still runs", `document.querySelector("#stream-stop")`)
	x.end()
}
