package dashboards

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// The two files of provisioning/, and what of compose.yaml they rely on.
type provisioned struct {
	sources, folders, compose string
}

func readProvisioned(t *testing.T) provisioned {
	t.Helper()
	read := func(file string) string {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	return provisioned{read("provisioning/datasources/tracelab.yaml"), read("provisioning/dashboards/tracelab.yaml"), read("../compose.yaml")}
}

func (p provisioned) violations() []string {
	var found []string
	say := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	var sources struct {
		Datasources []struct {
			Name, UID, Type, Access, URL string
			Editable                     bool
			IsDefault                    bool           `yaml:"isDefault"`
			JSONData                     map[string]any `yaml:"jsonData"`
		}
	}
	var folders struct {
		Providers []struct {
			Name, Folder, Type    string
			AllowUIUpdates        bool `yaml:"allowUiUpdates"`
			UpdateIntervalSeconds int  `yaml:"updateIntervalSeconds"`
			Options               struct{ Path string }
		}
	}
	var compose struct {
		Services map[string]struct {
			Environment map[string]any
			Volumes     []any
		}
	}
	for text, value := range map[string]any{p.sources: &sources, p.folders: &folders, p.compose: &compose} {
		// A key that compose.yaml merges in with << and gives anew counts as a duplicate here.
		if err := yaml.UnmarshalWithOptions([]byte(text), value, yaml.AllowDuplicateMapKey()); err != nil {
			return []string{err.Error()}
		}
	}
	grafana := compose.Services["grafana"]

	types := map[string]string{"prometheus": "prometheus", "jaeger": "jaeger", "pyroscope": "grafana-pyroscope-datasource"}
	for _, s := range sources.Datasources {
		if types[s.UID] != s.Type {
			say("data source %s: uid %q has type %q, want %q: dashboards and links go by them", s.Name, s.UID, s.Type, types[s.UID])
		}
		delete(types, s.UID)
		if s.Access != "proxy" {
			say("data source %s: access %q; the browser does not know compose's host names", s.Name, s.Access)
		}
		if s.UID == "prometheus" {
			prometheusViolations(s.IsDefault, s.JSONData, say)
		}
	}
	for uid := range types {
		say("no data source %s", uid)
	}
	for _, m := range regexp.MustCompile(`(\$*)\$\{(\w+)[^}]*\}`).FindAllStringSubmatch(withoutComments(p.sources), -1) {
		switch escaped := m[1] == "$"; {
		case strings.HasPrefix(m[2], "__") && !escaped:
			say("${%s} is Grafana's own: write $${%s}, or it is looked up in the environment", m[2], m[2])
		case !strings.HasPrefix(m[2], "__") && grafana.Environment[m[2]] == nil:
			say("compose.yaml gives grafana no %s", m[2])
		}
	}
	for _, f := range folders.Providers {
		if f.AllowUIUpdates {
			say("dashboards can be changed in the browser, and the files are not")
		}
		if !slices.Contains(grafana.Volumes, any("./dashboards:"+f.Options.Path+":ro")) {
			say("compose.yaml does not mount ./dashboards at %s", f.Options.Path)
		}
	}
	if len(folders.Providers) != 1 {
		say("%d folders of dashboards, want one", len(folders.Providers))
	}
	return found
}

func prometheusViolations(isDefault bool, settings map[string]any, say func(string, ...any)) {
	if !isDefault {
		say("prometheus is not the default data source")
	}
	if settings["timeInterval"] != "5s" {
		say("timeInterval is %v, want 5s: $__rate_interval is four times that, and the services send every 5 s", settings["timeInterval"])
	}
	destinations := fmt.Sprint(settings["exemplarTraceIdDestinations"])
	if strings.Count(destinations, "name:trace_id") != 2 {
		say("exemplars have the label trace_id, and two ways to the trace; there is %s", destinations)
	}
	if !strings.Contains(destinations, "url:${JAEGER_UI_URL}/trace/") || !strings.Contains(destinations, "datasourceUid:jaeger") {
		say("an exemplar does not lead to Jaeger's page and to the data source: %s", destinations)
	}
}

func withoutComments(text string) string {
	return regexp.MustCompile(`(?m)^\s*#.*$`).ReplaceAllString(text, "")
}

func TestProvisioning(t *testing.T) {
	for _, v := range readProvisioned(t).violations() {
		t.Error(v)
	}
}

func TestBrokenProvisioningIsFound(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"uid", "uid: jaeger\n", "uid: traces\n", `uid "traces" has type "jaeger"`},
		{"source gone", "uid: pyroscope\n", "uid: pyro\n", "no data source pyroscope"},
		{"type", "type: grafana-pyroscope-datasource", "type: phlare", "want \"grafana-pyroscope-datasource\""},
		{"access", "access: proxy", "access: direct", "host names"},
		{"default", "isDefault: true", "isDefault: false", "not the default"},
		{"interval", "timeInterval: 5s", "timeInterval: 1s", "timeInterval is 1s"},
		{"label of exemplars", "name: trace_id", "name: traceID", "label trace_id"},
		{"link of exemplars", "${JAEGER_UI_URL}/trace/", "${JAEGER_UI_URL}/traces?id=", "Jaeger's page"},
		{"escaping", "$${__value.raw}", "${__value.raw}", "is Grafana's own"},
		{"environment", "url: ${PYROSCOPE_URL}", "url: ${PYROSCOPE_ADDRESS}", "gives grafana no PYROSCOPE_ADDRESS"},
		{"browser", "allowUiUpdates: false", "allowUiUpdates: true", "changed in the browser"},
		{"path", "path: /etc/grafana/dashboards", "path: /var/lib/dashboards", "does not mount ./dashboards"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := readProvisioned(t)
			before := p
			p.sources = strings.Replace(p.sources, c.old, c.new, 1)
			p.folders = strings.Replace(p.folders, c.old, c.new, 1)
			if p == before {
				t.Fatalf("%q is not in provisioning any more", c.old)
			}
			if found := strings.Join(p.violations(), "\n"); !strings.Contains(found, c.want) {
				t.Errorf("found %q, want %q", found, c.want)
			}
		})
	}
}
