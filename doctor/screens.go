package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"tracelab/internal/telemetry"
)

// profilesWithin is how long a profile may take to arrive: services push one every 10 s.
const profilesWithin = 30 * time.Second

// grafanaAnswers asks Grafana for its health.
func (p *parts) grafanaAnswers(ctx context.Context) (_ nothing, seen string, _ error) {
	var health struct {
		Version string `json:"version"`
	}
	if err := getJSON(ctx, p.http, trimSlash(p.config.Grafana)+"/api/health", &health); err != nil {
		return nothing{}, "", brokenHop("start Grafana, or name its URL with --grafana; its log says what is wrong with its provisioning", "%s", err.Error())
	}
	return nothing{}, fmt.Sprintf("version %s answers at %s", health.Version, p.config.Grafana), nil
}

// profilesArrive waits until Pyroscope has a profile of the services.
func (p *parts) profilesArrive(ctx context.Context) (_ nothing, seen string, _ error) {
	if _, err := get(ctx, p.http, trimSlash(p.config.Pyroscope)+"/ready"); err != nil {
		return nothing{}, "", brokenHop("start Pyroscope, or name its URL with --pyroscope", "%s", err.Error())
	}
	const fix = "start the services with --pyroscope and this URL; their log says what keeps them from pushing"
	var names []string
	err := until(ctx, func(ctx context.Context) error {
		var err error
		if names, err = p.profiled(ctx); err != nil {
			return brokenHop("look at the log of Pyroscope", "%s", err.Error())
		}
		if !slices.ContainsFunc(names, func(name string) bool {
			return name == telemetry.ProfilesApplication || slices.Contains(p.config.flow().Services(), name)
		}) {
			return brokenHop(fix, "no profile of the services has come in the last hour; there are %s", plural(len(names), "application"))
		}
		return nil
	})
	if err != nil {
		return nothing{}, "", err
	}
	return nothing{}, "profiles have come of " + commas(names), nil
}

// profiled lists the applications of which profiles came in the last hour. Pyroscope answers the Connect protocol with JSON.
func (p *parts) profiled(ctx context.Context) ([]string, error) {
	now := time.Now()
	question, err := json.Marshal(map[string]any{"name": "service_name", "start": now.Add(-time.Hour).UnixMilli(), "end": now.UnixMilli()})
	if err != nil {
		return nil, err
	}
	address := trimSlash(p.config.Pyroscope) + "/querier.v1.QuerierService/LabelValues"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(question))
	if err != nil {
		return nil, fmt.Errorf("request to %s: %w", address, err)
	}
	req.Header.Set("Content-Type", "application/json")
	body, err := do(p.http, req)
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
