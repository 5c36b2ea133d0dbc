//go:build browser

package browsertest

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// fault switches a fault on by its form, places a unit, and finds it on the path of its journey.
func fault(t *testing.T, v *visitor) {
	x := v.open("/weather")
	is[bool](x, `(() => {
		document.querySelector("select[name=service]").value = "payment";
		document.querySelector("select[name=kind]").value = "delay";
		document.querySelector("input[name=value]").value = "400ms";
		document.querySelector("input[name=share]").value = "";
		return true;
	})()`)
	x.click("#fault-on")
	x.await("the fault is on", has("#faults-now", "payment:delay=400ms"))
	x.picture("fault")
	x.visit("/")
	before := is[string](x, `document.querySelector("#last [id^=last-grpc-]")?.id || ""`)
	x.click("#place-grpc")
	x.await("a slow unit", fmt.Sprintf("document.querySelector('#last [id^=last-grpc-]').id !== %q && %s", before, has("#last [id^=last-grpc-]", "completed")))
	x.click("#last [id^=last-grpc-]")
	x.await("its journey", `location.pathname.startsWith("/journeys/grpc/") && document.querySelector("main svg")`)
	x.await("the delay on its path", has("main", "payment")+` && /\b[4-9]\d\d(\.\d)? ms/.test(document.querySelector("main").innerText)`)
	x.picture("fault-journey")
	x.visit("/weather")
	x.await("that the fault fired", `document.querySelector("#fired table")`)
	x.click("#faults-off")
	x.await("no fault", has("#faults-now", "No fault is on"))
}

// broker kills the broker, sees that every page says so, and starts it again.
func broker(t *testing.T, v *visitor) {
	x := v.open("/weather")
	other := v.open("/live")
	x.click("#kill-kafka")
	x.await("the state of the broker", `document.querySelector("#start-kafka")`)
	other.await("that another page says it", `/kafka|broker/i.test(document.querySelector("#problems").innerText)`)
	x.picture("broker-down")
	x.click("#start-kafka")
	x.await("the broker is back", `document.querySelector("#kill-kafka")`)
	x.visit("/")
	before := is[string](x, `document.querySelector("#last [id^=last-kafka-]")?.id || ""`)
	x.click("#place-kafka")
	x.await("a unit over the broker", fmt.Sprintf("document.querySelector('#last [id^=last-kafka-]').id !== %q && %s", before, has("#last [id^=last-kafka-]", "completed")))
	_ = t
}

// brokenFlow types a fault into the flow's file and is shown its line, without sending anything.
func brokenFlow(_ *testing.T, v *visitor) {
	x := v.open("/flow")
	x.await("the flow as it is", has("#flow-check", "The flow order can run"))
	typed := func(change string) {
		is[bool](x, `(() => { const t = document.querySelector("#flow-text"); t.value = `+change+`; t.dispatchEvent(new Event("input", {bubbles: true})); return true })()`)
	}
	typed(`t.value.replace("each: kafka", "each: kafak")`)
	x.await("the place and the nearest word", `/flow\.yaml:\d+:\d+/.test(document.querySelector("#flow-check").innerText) && `+has("#flow-check", "did you mean")+` && `+has("#flow-check mark", "kafak"))
	x.picture("flow-broken")
	x.click("#flow-goto")
	x.await("the line in the file", `(() => { const t = document.querySelector("#flow-text"); return t.value.slice(t.selectionStart, t.selectionEnd).includes("kafak") })()`)
	typed(`"<img src=x onerror=alert(1)>: ["`)
	x.await("that hostile text is text", has("#flow-check", "flow.yaml")+` && `+has("#flow-check mark", "<img src=x")+` && !document.querySelector("#flow-check img")`)
}

// anotherFlow runs another flow: open tabs load anew.
func anotherFlow(_ *testing.T, v *visitor) {
	other := v.open("/live")
	x := v.open("/flow?from=chain:3")
	x.await("the generated flow", has("#flow-check", "chain-3 can run"))
	x.click("#flow-run")
	x.await("the page of the new lab", has("footer", "Flow chain-3"))
	other.await("the new lab in another tab", has("footer", "Flow chain-3"))
	x.visit("/")
	x.click("#place-all")
	x.await("a unit of the new flow", has("#last", "completed"))
}

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
	x := v.open("/")
	x.do(chromedp.Click(chromedp.CSS("#stream-stop")))
	x.await("the end of the stream", has("#stream-now", "No stream"))
	if mb := v.memory(t); mb > 0 {
		t.Logf("resident memory after the stream: %.0f MB", mb)
	}
}
