//go:build browser

package browsertest

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// busyParts changes parts of the page while somebody is busy in them: nothing is lost, and they are current afterwards.
func busyParts(t *testing.T, v *visitor) {
	x := v.open("/")
	for _, c := range []struct{ busyWith, begin, kept, end string }{
		{"a selection", `getSelection().selectAllChildren(document.querySelector("#last caption"))`, `getSelection().toString().startsWith("The last")`, `getSelection().removeAllRanges()`},
		{"what is typed", `last.insertAdjacentHTML("beforeend", "<input id=typed value=half>"), typed.focus()`, `document.activeElement.value === "half"`, `typed.blur()`},
		{"a choice", `last.insertAdjacentHTML("beforeend", "<select id=chosen><option>one</select>"), chosen.focus()`, `document.activeElement.id === "chosen"`, `chosen.blur()`},
		{"a choice that takes too long", `last.insertAdjacentHTML("beforeend", "<select id=chosen><option>one</select>"), chosen.focus()`, `document.activeElement.id === "chosen"`, `performance.now = () => 1e9, settle()`},
	} {
		x.run(c.begin)
		x.update(v, "last", "/place", url.Values{"form": {"grpc"}})
		if !is[bool](x, c.kept) {
			t.Errorf("%s is lost by an update", c.busyWith)
		}
		x.run(c.end)
		x.await("all that came, after "+c.busyWith, `last.innerHTML === normal(came)`)
	}
	x.visit("/")
	id := is[string](x, `document.querySelector("#last [id^=last-grpc-]").id`)
	release := x.press("#" + id)
	x.update(v, "last", "/place", url.Values{"form": {"grpc"}})
	release()
	x.await("the journey that was clicked", fmt.Sprintf(`location.pathname.endsWith(%q)`, strings.ReplaceAll(strings.TrimPrefix(id, "last"), "-", "/")))
	keptPlaces(t, x)
	busyButtons(v)
}

// keptPlaces replaces the page of a journey by the same but for a remark: what is unfolded and what has the focus stay so, with an id and without.
func keptPlaces(t *testing.T, x *tab) {
	x.click("svg.timeline a")
	x.await("the span that was clicked", `document.querySelector("#span details")`)
	for _, selector := range []string{"details[id] > summary", "details:not([id]) > summary", ".journey-tabs a:not([id])", "svg.timeline a"} {
		x.run(fmt.Sprintf("window.at = document.querySelector(%q), at.parentElement.open = true, at.focus()", selector))
		x.run(`put("journey", journey.innerHTML + "<p>remark</p>")`)
		if !is[bool](x, fmt.Sprintf("!at.isConnected && document.activeElement === document.querySelector(%q) && (at.localName !== 'summary' || document.activeElement.parentElement.open)", selector)) {
			t.Errorf("%s has lost the focus or is folded: %s", selector, is[string](x, "document.activeElement.outerHTML"))
		}
	}
}

// busyButtons switches faults off by pointer and by key, while others come on.
func busyButtons(v *visitor) {
	x := v.open("/weather")
	fault := func(ms int) url.Values {
		return url.Values{"do": {"fault-text"}, "fault": {fmt.Sprintf("payment:delay=%dms", ms)}}
	}
	off := func(ms int) string { return fmt.Sprintf(`[id="off-payment:delay=%dms"]`, ms) }
	x.update(v, "faults-now", "/conditions", fault(1))
	release := x.press(off(1))
	x.update(v, "faults-now", "/conditions", fault(2))
	release()
	x.await("the first fault off, and the second on", `document.querySelector('`+off(2)+`') && !document.querySelector('`+off(1)+`')`)
	x.run(`document.querySelector('` + off(2) + `').focus()`)
	space := kb.Encode(' ')
	for _, event := range space[:len(space)-1] {
		x.key(event)
	}
	x.update(v, "faults-now", "/conditions", fault(3))
	x.key(space[len(space)-1]) // its release
	x.await("the second fault off, and the third on", `document.querySelector('`+off(3)+`') && !document.querySelector('`+off(2)+`')`)
	release = x.press("#fault-on") // it stands below what changes
	x.update(v, "faults-now", "/conditions", fault(4))
	release()
	x.await("the fault of the form", `document.querySelectorAll("#faults-now li").length === 3`)
	x.click("#faults-off")
	x.await("no fault", has("#faults-now", "No fault is on"))
}

// run runs statements of the page's script.
func (x *tab) run(statements string) {
	x.t.Helper()
	is[bool](x, "("+statements+", true)")
}

// update posts a form as another tab would, and waits until a change of a part has come here. The page's variable came has the newest HTML of the part.
func (x *tab) update(v *visitor, part, path string, fields url.Values) {
	x.t.Helper()
	x.await("a stream", `source?.readyState === EventSource.OPEN`)
	x.run(fmt.Sprintf(`window.came = "", window.normal = (html) => { const t = document.createElement("div"); t.innerHTML = html; return t.innerHTML; },
		source.addEventListener("parts", (e) => { came = JSON.parse(e.data)[%q] ?? came; })`, part))
	v.post(x.t, path, fields)
	x.await("an update of "+part, `came`)
}

// press presses the mouse on an element. What it returns releases it at the same place.
func (x *tab) press(selector string) (release func()) {
	x.t.Helper()
	x.await("an element "+selector, "document.querySelector('"+selector+"')")
	at := is[[2]float64](x, `(() => {
		const e = document.querySelector('`+selector+`');
		e.scrollIntoView({block: "center"});
		const at = e.getBoundingClientRect();
		return [at.x + at.width / 2, at.y + at.height / 2];
	})()`)
	mouse := func(kind input.DispatchMouseEventType) {
		x.t.Helper()
		x.do(chromedp.MouseEvent(kind, at[0], at[1], chromedp.ButtonType(input.MouseButtonLeft), chromedp.ClickCount(1)))
	}
	mouse(chromedp.MousePressed)
	return func() { x.t.Helper(); mouse(chromedp.MouseReleased) }
}

// key dispatches one event of a key.
func (x *tab) key(event *input.DispatchKeyEventParams) {
	x.t.Helper()
	if _, err := chromedp.Call(x.ctx, input.DispatchKeyEvent, *event); err != nil {
		x.t.Fatal(err)
	}
}
