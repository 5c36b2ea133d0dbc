// Package prometheus_test checks what Prometheus is given to read: that alerts say what to do and where to look, and (tag stack) that
// promtool accepts the files and the alerts fire when they must.
package prometheus_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

type rule struct {
	Record, Alert, Expr, For string
	Labels, Annotations      map[string]string
}

type ruleFile struct {
	Groups []struct {
		Name  string
		Rules []rule
	}
}

// violations returns what the rules do against those of this folder, one sentence each. tests is the text of rules_test.yaml.
func violations(rules []byte, tests string, dashboards []string) []string {
	var file ruleFile
	if err := yaml.UnmarshalWithOptions(rules, &file, yaml.Strict()); err != nil {
		return []string{err.Error()}
	}
	var found []string
	say := func(r rule, format string, args ...any) {
		found = append(found, r.Alert+r.Record+": "+fmt.Sprintf(format, args...))
	}
	alerts := 0
	for _, group := range file.Groups {
		for _, r := range group.Rules {
			if regexp.MustCompile(`\ble\s*!?=\s*"`).MatchString(r.Expr) {
				say(r, `le="1" of Prometheus 2 is le="1.0" in 3`)
			}
			if r.Record != "" {
				continue
			}
			alerts++
			alertViolations(r, tests, dashboards, func(format string, args ...any) { say(r, format, args...) })
		}
	}
	if alerts == 0 {
		found = append(found, "no alerts")
	}
	return found
}

func alertViolations(r rule, tests string, dashboards []string, say func(string, ...any)) {
	if !slices.Contains([]string{"warning", "critical"}, r.Labels["severity"]) {
		say("severity is %q, want warning or critical", r.Labels["severity"])
	}
	if r.For == "" {
		say("fires at the first sample: give it a for")
	}
	if !strings.Contains(r.Annotations["summary"], "{{ $labels.") && !strings.Contains(r.Annotations["summary"], "{{ $value") {
		say("the summary names neither what it is about nor how much")
	}
	if len(r.Annotations["description"]) < 120 {
		say("the description is too short to say what to do")
	}
	if uid := r.Annotations["dashboard"]; !slices.Contains(dashboards, uid) {
		say("dashboard %q does not exist, there are %v", uid, dashboards)
	}
	expr := fmt.Sprintf(`ALERTS{alertname="%s", alertstate="firing"}`, r.Alert)
	cases := strings.Split(tests, "- expr: "+expr)[1:]
	if !slices.ContainsFunc(cases, func(c string) bool { return strings.Contains(firstCase(c), "value: 1") }) {
		say("no test in which it fires")
	}
}

// firstCase is what belongs to the first of several cases in the text.
func firstCase(text string) string {
	before, _, _ := strings.Cut(text, "- expr:")
	return before
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// dashboardUIDs are tracelab-NAME for every dashboards/NAME.json; the tests there hold the files to it.
func dashboardUIDs(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../dashboards/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no dashboards: %v", err)
	}
	uids := make([]string, len(files))
	for i, file := range files {
		uids[i] = "tracelab-" + strings.TrimSuffix(filepath.Base(file), ".json")
	}
	return uids
}

func TestRules(t *testing.T) {
	for _, v := range violations([]byte(read(t, "rules.yaml")), read(t, "rules_test.yaml"), dashboardUIDs(t)) {
		t.Error(v)
	}
}

// TestBrokenRulesAreFound breaks the real rules, each rule of this folder once.
func TestBrokenRulesAreFound(t *testing.T) {
	rules, tests, dashboards := read(t, "rules.yaml"), read(t, "rules_test.yaml"), dashboardUIDs(t)
	for _, c := range []struct{ name, old, new, want string }{
		{"severity", "{severity: critical}", "{severity: urgent}", `severity is "urgent"`},
		{"no for", "        for: 5m\n", "", "give it a for"},
		{"summary", "summary: Orders of form {{ $labels.tracelab_form }} are accepted", "summary: Orders are accepted", "neither what it is about"},
		{"description", "          description: >-\n            Its memory limit", "          description: >-\n            Bad.\n          more: >-\n            Its memory limit", "too short"},
		{"dashboard", "dashboard: tracelab-queues", "dashboard: tracelab-lag", "does not exist"},
		{"untested", "alert: PartDown", "alert: PartGone", "no test in which it fires"},
		{"le", `tracelab_step!="", status_code`, `le="1", status_code`, "of Prometheus 2"},
		{"unknown key", "        for: 5m\n", "        fro: 5m\n", "fro"},
		{"empty", rules, "groups: []", "no alerts"},
	} {
		t.Run(c.name, func(t *testing.T) {
			broken := strings.Replace(rules, c.old, c.new, 1)
			if broken == rules {
				t.Fatalf("%q is not in rules.yaml any more", c.old)
			}
			found := violations([]byte(broken), tests, dashboards)
			if !slices.ContainsFunc(found, func(v string) bool { return strings.Contains(v, c.want) }) {
				t.Errorf("found %q, want one with %q", found, c.want)
			}
		})
	}
}

// TestScrapeConfig holds what other parts rely on.
func TestScrapeConfig(t *testing.T) {
	var config struct {
		RuleFiles     []string `yaml:"rule_files"`
		ScrapeConfigs []struct {
			JobName       string                       `yaml:"job_name"`
			HonorLabels   bool                         `yaml:"honor_labels"`
			MetricsPath   string                       `yaml:"metrics_path"`
			StaticConfigs []struct{ Targets []string } `yaml:"static_configs"`
			DNS           []struct {
				Names []string
				Port  int
			} `yaml:"dns_sd_configs"`
		} `yaml:"scrape_configs"`
	}
	if err := yaml.Unmarshal([]byte(read(t, "prometheus.yaml")), &config); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(config.RuleFiles, []string{"rules.yaml"}) {
		t.Errorf("rule files %q, want rules.yaml beside the configuration", config.RuleFiles)
	}
	targets := map[string]string{}
	for _, job := range config.ScrapeConfigs {
		if job.HonorLabels != (job.JobName == "services") {
			t.Errorf("job %s: honor_labels %v; only what the collector passes on has labels of its own", job.JobName, job.HonorLabels)
		}
		for _, s := range job.StaticConfigs {
			targets[job.JobName] = strings.Join(s.Targets, " ")
		}
		for _, s := range job.DNS {
			targets[job.JobName] = fmt.Sprintf("%s:%d%s", strings.Join(s.Names, " "), s.Port, job.MetricsPath)
		}
	}
	for job, target := range map[string]string{"services": "collector:8889", "collector": "collector:8888", "jaeger": "jaeger:8887", "prometheus": "prometheus:9090", "rabbitmq": "rabbitmq:15692/metrics/detailed"} {
		if targets[job] != target {
			t.Errorf("job %s scrapes %q, want %s", job, targets[job], target)
		}
	}
}
