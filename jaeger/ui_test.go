package jaeger_test

import (
	"bytes"
	"encoding/json"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"tracelab/journey/source/jaeger"
	"tracelab/services"
	"tracelab/services/flows"
)

// uiConfig is what the UI knows of a configuration, as far as ours goes: names and types as in the type Config of
// jaeger-ui (packages/jaeger-ui/src/types/config.ts), read in its version of 2026; older ones name them alike. The UI passes over
// what it does not know, so a misspelt key would do nothing.
type uiConfig struct {
	ArchiveEnabled      *bool `json:"archiveEnabled"`
	CriticalPathEnabled *bool `json:"criticalPathEnabled"`
	Dependencies        struct {
		MenuEnabled       *bool `json:"menuEnabled"`
		DAGMaxNumServices int   `json:"dagMaxNumServices"`
	} `json:"dependencies"`
	Monitor struct {
		MenuEnabled *bool `json:"menuEnabled"`
	} `json:"monitor"`
	Search struct {
		MaxLookback struct {
			Label string `json:"label"`
			Value string `json:"value"`
		} `json:"maxLookback"`
		MaxLimit int `json:"maxLimit"`
	} `json:"search"`
	Tracking struct {
		GAID        *string `json:"gaID"`
		TrackErrors *bool   `json:"trackErrors"`
	} `json:"tracking"`
	TopTagPrefixes []string `json:"topTagPrefixes"`
	Menu           []struct {
		Label string `json:"label"`
		Items []struct {
			Label        string `json:"label"`
			URL          string `json:"url"`
			AnchorTarget string `json:"anchorTarget"`
		} `json:"items"`
	} `json:"menu"`
	LinkPatterns []linkPattern `json:"linkPatterns"`
}

type linkPattern struct {
	Type string `json:"type"` // tags, process, logs: of an attribute; traces: of the whole trace
	Key  string `json:"key"`
	URL  string `json:"url"`
	Text string `json:"text"`
}

func readUI(t *testing.T) (uiConfig, []byte) {
	t.Helper()
	text, err := os.ReadFile("ui.json")
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	var c uiConfig
	if err := decoder.Decode(&c); err != nil {
		t.Fatalf("ui.json: %v: the UI does not know it", err)
	}
	return c, text
}

func TestTheUIKnowsItsConfiguration(t *testing.T) {
	c, _ := readUI(t)
	on := func(b *bool) bool { return b != nil && *b }
	if !on(c.Monitor.MenuEnabled) || !on(c.Dependencies.MenuEnabled) || !on(c.CriticalPathEnabled) {
		t.Error("the tabs Monitor and System Architecture and the critical path are to be on")
	}
	if on(c.ArchiveEnabled) {
		t.Error("archiving is on, and jaeger.yaml has no archive")
	}
	if c.Tracking.GAID != nil || on(c.Tracking.TrackErrors) {
		t.Error("the UI is not to tell anybody of its use")
	}
	for _, group := range c.Menu {
		for _, item := range group.Items {
			if u, err := url.Parse(item.URL); err != nil || item.Label == "" || u.Hostname() != "localhost" || item.AnchorTarget != "_blank" {
				t.Errorf("menu item %+v: %v", item, err)
			}
		}
	}
}

// parameter is what the UI replaces in a template, percent-encoded in an address.
var parameter = regexp.MustCompile(`#\{([^}]*)\}`)

// resolve fills a template in as the UI does. What is not known there makes the UI leave out the whole link.
func resolve(t *testing.T, template string, known map[string]string, encode func(string) string) string {
	t.Helper()
	return parameter.ReplaceAllStringFunc(template, func(match string) string {
		name := parameter.FindStringSubmatch(match)[1]
		value, ok := known[name]
		if !ok {
			t.Errorf("%s: the UI does not know %q there", template, name)
		}
		return encode(value)
	})
}

func encodeComponent(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

func patternOf(t *testing.T, kind, key string) linkPattern {
	t.Helper()
	c, _ := readUI(t)
	i := slices.IndexFunc(c.LinkPatterns, func(p linkPattern) bool { return p.Type == kind && p.Key == key })
	if i < 0 {
		t.Fatalf("no link of type %s for %q", kind, key)
	}
	return c.LinkPatterns[i]
}

const trace = "0af7651916cd43dd8448eb211c80319c"

func TestATraceLeadsToItsJourney(t *testing.T) {
	p := patternOf(t, "traces", "")
	known := map[string]string{"traceID": trace} // the UI also knows traceName, duration, startTime and endTime here
	// The text is a command to copy; a click stays on the page, for JSON is nothing to look at.
	if text := resolve(t, p.Text, known, func(s string) string { return s }); text != "Judge it: tracelab journey 'jaeger:"+trace+"' --jaeger http://localhost:16686" {
		t.Errorf("text %s", text)
	}
	if page := resolve(t, p.URL, known, encodeComponent); page != "/trace/"+trace {
		t.Errorf("it leads to %s, want the trace's own page", page)
	}
}

// TestEveryTraceOfAnOrderIsFound: with relation link a service's spans are in traces of their own, and a search is for one service.
func TestEveryTraceOfAnOrderIsFound(t *testing.T) {
	c, _ := readUI(t)
	found := map[string]bool{}
	for _, p := range c.LinkPatterns {
		if p.Type != "tags" || p.Key != services.KeyOrderID {
			continue
		}
		u, err := url.Parse(resolve(t, p.URL, map[string]string{p.Key: "17"}, encodeComponent))
		if err != nil {
			t.Fatal(err)
		}
		service := u.Query().Get("service")
		found[service] = true
		if !strings.Contains(p.Text, service) {
			t.Errorf("the search for spans of %s is called %q", service, p.Text)
		}
	}
	for _, service := range flows.Order().Services() {
		if service != services.Gateway && !found[service] { // the gateway's spans are in the trace of orders
			t.Errorf("no search for spans of %s", service)
		}
	}
}

// The link of an attribute may use that attribute's value under its key.
func TestAnAttributeLeadsToASearch(t *testing.T) {
	for _, key := range []string{services.KeyRun, services.KeyOrderID} {
		p := patternOf(t, "tags", key)
		const value = `20260901-120000.000-1 "&`
		page := resolve(t, p.URL, map[string]string{key: value}, encodeComponent)
		if strings.Contains(page, `"`) {
			t.Errorf("%s: not encoded", page)
		}
		u, err := url.Parse(page)
		if err != nil {
			t.Fatal(err)
		}
		// Newer UIs ask api/v3, which wants both times, and pass tags on as they are: JSON, into which the value goes as it is.
		for _, name := range []string{"service", "start", "end", "tags"} {
			if u.Query().Get(name) == "" {
				t.Errorf("%s: no %s", page, name)
			}
		}
		plain := resolve(t, p.URL, map[string]string{key: "20260901-120000.000-1"}, encodeComponent)
		address, err := jaeger.ParseAddress("http://localhost:16686"+plain, time.Now())
		if err != nil || address.Search.Attributes[key] != "20260901-120000.000-1" || time.Now().Before(address.Search.Start) || time.Now().After(address.Search.End) {
			t.Errorf("%s: %+v, %v", plain, address.Search, err)
		}
	}
}

func TestASpanLeadsToItsProfile(t *testing.T) {
	p := patternOf(t, "tags", "pyroscope.profile.id")
	page := resolve(t, p.URL, map[string]string{"pyroscope.profile.id": "00f067aa0ba902b7"}, encodeComponent)
	u, err := url.Parse(page)
	if err != nil {
		t.Fatal(err)
	}
	var panes map[string]struct {
		Datasource string
		Queries    []struct {
			QueryType, ProfileTypeID, LabelSelector string
			SpanSelector                            []string
		}
		Range struct{ From, To string }
	}
	if err := json.Unmarshal([]byte(u.Query().Get("panes")), &panes); err != nil {
		t.Fatal(err)
	}
	for _, pane := range panes {
		q := pane.Queries[0]
		if pane.Datasource != "pyroscope" || q.QueryType != "profile" || q.ProfileTypeID != "process_cpu:cpu:nanoseconds:cpu:nanoseconds" || q.LabelSelector != "{}" ||
			!slices.Equal(q.SpanSelector, []string{"00f067aa0ba902b7"}) || pane.Range.To != "now" {
			t.Errorf("%+v", pane)
		}
	}
	if len(panes) != 1 || u.Path != "/explore" {
		t.Errorf("%s", page)
	}
	// The UI cannot know which span was sampled: whether one is, is decided after its attributes are set.
	if !strings.Contains(p.Text, "1 order in 25 has a sample") {
		t.Errorf("%q does not say how likely it is that there is a profile", p.Text)
	}
}
