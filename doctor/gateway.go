package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"tracelab/services"
)

// gatewayReachable asks who is at the gateway's address.
func (e *examination) gatewayReachable(ctx context.Context) (string, error) {
	const fix = "start the services (tracelab serve all), or name the URL of their gateway with --gateway; " +
		"services that end at once say why in their log: without their Kafka they do not start"
	var alive struct {
		Service string `json:"service"`
	}
	address := base(e.config.Gateway)
	if err := getJSON(ctx, e.http, address+"/healthz", &alive); err != nil {
		return "", brokenHop(fix, "%s", err.Error())
	}
	if alive.Service != services.Gateway {
		return "", brokenHop("name the URL of the gateway with --gateway", "%s: that is not the gateway, but the service %q", address, alive.Service)
	}
	return "alive at " + address, nil
}

// servicesReady asks the gateway whether orders can be placed.
func (e *examination) servicesReady(ctx context.Context) (string, error) {
	var waiting *waitingFor
	err := until(ctx, func(ctx context.Context) error { return servicesReady(ctx, e.http, e.config.Gateway) })
	switch {
	case errors.As(err, &waiting):
		names := list(waiting.services)
		return "", brokenHop(fmt.Sprintf("look at the log of %s: is it running (tracelab serve), does the gateway know its address (--http SERVICE=HOST:PORT), does it reach its Kafka?", names),
			"%s", err.Error())
	case err != nil:
		return "", brokenHop("look at the gateway's log", "%s", err.Error())
	}
	return "all " + count(len(services.Names()), "service") + " are ready", nil
}

// waitingFor is a gateway that cannot take orders yet.
type waitingFor struct {
	answer   *answered
	services []string
}

// Error names the services that are not ready.
func (w *waitingFor) Error() string {
	return fmt.Sprintf("%s: %s: the gateway waits for %s", w.answer.address, w.answer.status, strings.Join(w.services, ", "))
}

// servicesReady asks the gateway, which asks all the others.
func servicesReady(ctx context.Context, client *http.Client, gateway string) error {
	body, err := get(ctx, client, base(gateway)+"/readyz")
	if refused, ok := errors.AsType[*answered](err); ok {
		var ready struct {
			Waiting []string `json:"waiting_for"`
		}
		if json.Unmarshal(body, &ready) == nil && len(ready.Waiting) > 0 {
			return &waitingFor{refused, ready.Waiting}
		}
	}
	return err
}
