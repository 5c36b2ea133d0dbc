//go:build browser

package browsertest

import (
	"fmt"
	"testing"
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
