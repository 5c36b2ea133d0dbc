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

// gatewayReachable checks that the gateway answers at its address.
func (p *parts) gatewayReachable(ctx context.Context) (_ nothing, seen string, _ error) {
	const fix = "start the services (tracelab serve all), or name the URL of their gateway with --gateway; " +
		"services that end at once say why in their log: without their Kafka they do not start"
	var alive struct {
		Service string `json:"service"`
	}
	address := trimSlash(p.config.Gateway)
	if err := getJSON(ctx, p.http, address+"/healthz", &alive); err != nil {
		return nothing{}, "", brokenHop(fix, "%s", err.Error())
	}
	if alive.Service != services.Gateway {
		return nothing{}, "", brokenHop("name the URL of the gateway with --gateway", "%s: that is not the gateway, but the service %q", address, alive.Service)
	}
	return nothing{}, "alive at " + address, nil
}

// servicesReady asks the gateway whether orders can be placed.
func (p *parts) servicesReady(ctx context.Context) (_ nothing, seen string, _ error) {
	var waiting *waitingFor
	err := until(ctx, func(ctx context.Context) error { return askReady(ctx, p.http, p.config.Gateway) })
	switch {
	case errors.As(err, &waiting):
		names := commas(waiting.services)
		return nothing{}, "", brokenHop(fmt.Sprintf("look at the log of %s: is it running (tracelab serve), does the gateway know its address (--http SERVICE=HOST:PORT), does it reach its Kafka?", names),
			"%s", err.Error())
	case err != nil:
		return nothing{}, "", brokenHop("look at the gateway's log", "%s", err.Error())
	}
	return nothing{}, "all " + plural(len(p.config.flow().Services()), "service") + " are ready", nil
}

// waitingFor is the error for a gateway that cannot take orders yet.
type waitingFor struct {
	answer   *answered
	services []string
}

// Error names the services that are not ready.
func (w *waitingFor) Error() string {
	return fmt.Sprintf("%s: %s: the gateway waits for %s", w.answer.address, w.answer.status, strings.Join(w.services, ", "))
}

// askReady asks the gateway, which asks all the others.
func askReady(ctx context.Context, client *http.Client, gateway string) error {
	body, err := get(ctx, client, trimSlash(gateway)+"/readyz")
	if refused, ok := errors.AsType[*answered](err); ok {
		var ready services.Readiness
		if json.Unmarshal(body, &ready) == nil && len(ready.Waiting) > 0 {
			return &waitingFor{refused, ready.Waiting}
		}
	}
	return err
}
