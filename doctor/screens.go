package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"tracelab/services"
)

// profilePatience is how long a profile may take: they are pushed every 15 s.
const profilePatience = 30 * time.Second

// grafanaAnswers asks for Grafana's own opinion.
func (e *examination) grafanaAnswers(ctx context.Context) (string, error) {
	var health struct {
		Version string `json:"version"`
	}
	if err := getJSON(ctx, e.http, base(e.config.Grafana)+"/api/health", &health); err != nil {
		return "", brokenHop("start Grafana, or name its URL with --grafana; its log says what is wrong with its provisioning", "%s", err.Error())
	}
	return fmt.Sprintf("version %s answers at %s", health.Version, e.config.Grafana), nil
}

// profilesArrive looks for a profile of ours.
func (e *examination) profilesArrive(ctx context.Context) (string, error) {
	if _, err := get(ctx, e.http, base(e.config.Pyroscope)+"/ready"); err != nil {
		return "", brokenHop("start Pyroscope, or name its URL with --pyroscope", "%s", err.Error())
	}
	const fix = "start the services with --pyroscope and this URL; their log says what keeps them from pushing"
	var names []string
	err := until(ctx, func(ctx context.Context) error {
		var err error
		if names, err = e.profiled(ctx); err != nil {
			return brokenHop("look at the log of Pyroscope", "%s", err.Error())
		}
		if !slices.ContainsFunc(names, func(name string) bool { return name == profiledApp || slices.Contains(services.Names(), name) }) {
			return brokenHop(fix, "no profile of the services has come in the last hour; there are %s", count(len(names), "application"))
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	return "profiles have come of " + list(names), nil
}

// profiledApp is the application that the services push their profiles as.
const profiledApp = "tracelab"

// profiled lists the applications of the last hour. Pyroscope answers the Connect protocol with JSON.
func (e *examination) profiled(ctx context.Context) ([]string, error) {
	now := time.Now()
	question, err := json.Marshal(map[string]any{"name": "service_name", "start": now.Add(-time.Hour).UnixMilli(), "end": now.UnixMilli()})
	if err != nil {
		return nil, err
	}
	address := base(e.config.Pyroscope) + "/querier.v1.QuerierService/LabelValues"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(question))
	if err != nil {
		return nil, fmt.Errorf("request to %s: %w", address, err)
	}
	req.Header.Set("Content-Type", "application/json")
	body, err := do(e.http, req)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Names []string `json:"names"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("%s: the answer is not what was expected: %s", address, excerpt(body))
	}
	return answer.Names, nil
}
