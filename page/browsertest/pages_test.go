//go:build browser

package browsertest

import (
	"fmt"
	"testing"
)

// everyPage looks at each page in light and dark, wide and narrow: it fits, weighs little, and axe-core finds nothing serious.
func everyPage(t *testing.T, v *visitor, rules string) {
	x := v.open("/")
	x.excuse("/nowhere") // the console says that it is not there
	journey := is[string](x, `document.querySelector("[id^=last-kafka-]").getAttribute("href")`)
	for _, path := range []string{"/", "/weather", "/live", "/journeys", journey, "/claims", "/claims/surge", "/flow", "/nowhere"} {
		grounds := map[string]bool{}
		for _, scheme := range []string{"light", "dark"} {
			x.scheme(scheme)
			x.visit(path)
			x.await("the content", `document.querySelector("main h1")`)
			grounds[is[string](x, `getComputedStyle(document.documentElement).backgroundColor`)] = true
			for _, width := range []int64{1100, 400} {
				x.size(width, 900)
				name := fmt.Sprintf("%s %s %d", path, scheme, width)
				if wide := is[int64](x, `document.documentElement.scrollWidth`); wide > width {
					t.Errorf("%s: %d pixels wide, %s", name, wide, is[string](x, widest))
				}
				if thin := is[string](x, thinnest); thin != "" {
					t.Errorf("%s: words stand letter under letter in %s", name, thin)
				}
				for _, finding := range is[[]string](x, rules+"; "+serious) {
					t.Errorf("%s: axe-core: %s", name, finding)
				}
				if path == "/journeys" && width == 400 && is[bool](x, completionIsCut) {
					t.Errorf("%s: the completion is not in the window", name)
				}
				x.picture(name)
			}
			x.size(1100, 900)
		}
		if len(grounds) != 2 {
			t.Errorf("%s has the same ground in light and dark", path)
		}
		if bytes := is[int](x, weight); bytes > 200<<10 {
			t.Errorf("%s weighs %d bytes with its style and scripts, want at most 200 KB", path, bytes)
		} else {
			t.Logf("%s weighs %d KB", path, bytes>>10)
		}
	}
}

// completionIsCut tells whether the list of journeys has to be scrolled to see how long one took.
const completionIsCut = `document.querySelector("#journey-list th:nth-child(4)").getBoundingClientRect().right > innerWidth`

// widest names what sticks out of the page.
const widest = `[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".scroll")).slice(0, 5).map((e) => e.tagName + "." + e.className + "#" + e.id).join(" ")`

// thinnest names texts that are squeezed to a letter or two in a line.
const thinnest = `[...document.querySelectorAll("main :is(p, li, caption, tbody th, td, dt, dd, h1, h2, h3)")].filter((e) => e.clientWidth > 0 && e.clientWidth < 32 && e.clientHeight > 200).slice(0, 5).map((e) => e.tagName + " " + e.textContent.trim().slice(0, 40)).join(" | ")`

// serious lists axe-core's findings of weight, with the first elements.
const serious = `axe.run(document, {resultTypes: ["violations"]}).then((r) => r.violations.filter((v) => v.impact === "serious" || v.impact === "critical").map((v) => v.id + ": " + v.help + ": " + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160) + " " + (n.any[0]?.message || "")).join(" | ")))`

// weight is what a page and what it loads have as bytes, without its stream.
const weight = `[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")].filter((e) => !e.name.includes("/events")).reduce((n, e) => n + e.decodedBodySize, 0)`
