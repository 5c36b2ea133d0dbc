package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"

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
	var waiting *services.NotReadyError
	err := until(ctx, func(ctx context.Context) error { return askReady(ctx, p.http, p.config.Gateway) })
	switch {
	case errors.As(err, &waiting):
		names := commas(waiting.Waiting)
		return nothing{}, "", brokenHop(fmt.Sprintf("look at the log of %s: is it running (tracelab serve), does the gateway know its address (--http SERVICE=HOST:PORT), does it reach its Kafka?", names),
			"%s", err.Error())
	case err != nil:
		return nothing{}, "", brokenHop("look at the gateway's log", "%s", err.Error())
	}
	return nothing{}, "all " + plural(len(p.config.flow().Services()), "service") + " are ready", nil
}

// askReady asks the gateway, which asks all the others. A *services.NotReadyError is among the errors when it waits for some.
func askReady(ctx context.Context, client *http.Client, gateway string) error {
	body, err := get(ctx, client, trimSlash(gateway)+services.ReadyPath)
	if refused, ok := errors.AsType[*answered](err); ok {
		if waits := services.NotReady(body); waits != nil {
			return fmt.Errorf("%s: %s: %w", refused.address, refused.status, waits)
		}
	}
	return err
}
