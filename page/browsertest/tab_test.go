//go:build browser

package browsertest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// longest is how long something may take to show on a page.
const longest = 30 * time.Second

// chromium starts Chromium, which ends with the test.
func chromium(t *testing.T) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.UserDataDir(t.TempDir()))
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, end := chromedp.NewContext(allocator)
	t.Cleanup(end)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("Chromium does not start (%v): run .ci/run browser, which gets it from Debian's package chromium", err)
	}
	return ctx
}

// tab is a tab of Chromium.
type tab struct {
	t    *testing.T
	ctx  context.Context
	base string
	end  context.CancelFunc

	mu      sync.Mutex
	errors  []string // of its console
	excused string   // a piece of errors that are expected; "": none are
}

// open opens a page in a new tab, or an empty one for no path, which is closed behind the test. What its console has of errors fails the test.
func open(t *testing.T, browser context.Context, base, path string) *tab {
	t.Helper()
	ctx, end := chromedp.NewContext(browser)
	return newTab(t, ctx, end, base, path)
}

// openBeside opens a page in a tab in front of another one, in the same window. Other tabs have windows of their own, so that all are seen.
func openBeside(t *testing.T, other *tab, path string) *tab {
	t.Helper()
	ctx, end := chromedp.NewContext(other.ctx, chromedp.WithNewWindow(false))
	return newTab(t, ctx, end, other.base, path)
}

func newTab(t *testing.T, ctx context.Context, end context.CancelFunc, base, path string) *tab {
	t.Helper()
	x := &tab{t: t, ctx: ctx, base: base, end: end}
	t.Cleanup(func() {
		end()
		x.mu.Lock()
		defer x.mu.Unlock()
		for _, e := range x.errors {
			if x.excused == "" || !strings.Contains(e, x.excused) {
				t.Error("console:", e)
			}
		}
	})
	if err := chromedp.Do(ctx); err != nil { // not within a time: the end of that would close the tab
		t.Fatal(err)
	}
	go x.listen()
	x.size(1100, 900)
	if path != "" {
		x.visit(path)
	}
	return x
}

// listen keeps what the console says is wrong.
func (x *tab) listen() {
	for m, err := range chromedp.Console(x.ctx) {
		if err != nil {
			return
		}
		if m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleException || m.Type == chromedp.ConsoleWarning {
			x.mu.Lock()
			x.errors = append(x.errors, fmt.Sprintf("%s: %s (%s:%d)", m.Type, m.Text, m.URL, m.Line))
			x.mu.Unlock()
		}
	}
}

// excuse lets the console say what has a piece, now and later: it tells of a broken connection when it gets to it.
func (x *tab) excuse(piece string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.excused = piece
}

func (x *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(x.ctx, longest)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		x.t.Fatal(err)
	}
}

// front puts the tab before the others of its window.
func (x *tab) front() {
	x.t.Helper()
	if _, err := chromedp.Call(x.ctx, page.BringToFront, cdp.Empty{}); err != nil {
		x.t.Fatal(err)
	}
}

// visit opens a page in the tab.
func (x *tab) visit(path string) {
	x.t.Helper()
	x.do(chromedp.Navigate(x.base + path))
}

// size sets the size of the window in pixels.
func (x *tab) size(width, height int64) {
	x.t.Helper()
	x.do(chromedp.EmulateViewport(width, height))
}

// scheme sets light or dark.
func (x *tab) scheme(name string) {
	x.t.Helper()
	_, err := chromedp.Call(x.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}})
	if err != nil {
		x.t.Fatal(err)
	}
}

// is evaluates an expression of the page's script, which may be a promise.
func is[T any](x *tab, expression string) T {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(x.ctx, longest)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		x.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// await waits until an expression is true. The page may load anew meanwhile.
func (x *tab) await(what, expression string) {
	x.t.Helper()
	var last error
	for deadline := time.Now().Add(longest); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(x.ctx, 5*time.Second)
		yes, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("Boolean("+expression+")", chromedp.EvalAwaitPromise))
		cancel()
		if last = err; yes {
			return
		}
	}
	text, _ := chromedp.Run(x.ctx, chromedp.Evaluate[string]("document.body.innerText")) // what there is of it
	x.t.Fatalf("not within %v: %s (%s, last error %v); the page is\n%.3000s", longest, what, expression, last, text)
}

// click clicks an element once it is there and stands still.
func (x *tab) click(selector string) {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(x.ctx, longest)
	defer cancel()
	for {
		x.await("an element "+selector, "document.querySelector(`"+selector+"`)")
		err := chromedp.Do(ctx, chromedp.Click(chromedp.CSS(selector)))
		if err == nil {
			return
		}
		if !strings.Contains(err.Error(), "Could not find node") { // the page has put a newer element in its place since it was found
			x.t.Fatal(err)
		}
	}
}

// has tells as an expression whether an element's text has a piece.
func has(selector, piece string) string {
	return fmt.Sprintf("document.querySelector(`%s`)?.innerText.includes(`%s`)", selector, piece)
}

// picture keeps a picture of the tab where TRACELAB_SCREENS says.
func (x *tab) picture(name string) {
	x.t.Helper()
	folder := os.Getenv("TRACELAB_SCREENS")
	if folder == "" {
		return
	}
	image, err := chromedp.Run(x.ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, strings.Trim(strings.NewReplacer("/", "-", "?", "-", "=", "-", ":", "-", " ", "-").Replace(name), "-")+".png"), image, 0o600)
	}
	if err != nil {
		x.t.Error(err)
	}
}
