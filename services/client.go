package services

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	carrierhttp "tracelab/services/internal/carrier/http"

	"tracelab/services/flows"
)

// PlaceRequest is the request that places an order of a flow at a gateway, given by its URL, for whoever plays the client. Its context
// carries the experiment; the caller's HTTP client makes the span and writes both into the headers. For a flow with deadlines the request says
// how much time the context has left.
func PlaceRequest(ctx context.Context, gateway string, f *flows.Flow, e Experiment, order Placement) (*http.Request, error) {
	ctx, err := e.WithBaggage(ctx)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(order)
	if err != nil {
		return nil, fmt.Errorf("encode order: %w", err)
	}
	address := strings.TrimSuffix(gateway, "/") + f.Path
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("request to %s: %w", address, err)
	}
	req.GetBody = nil // net/http must not send an order twice
	req.Header.Set("Content-Type", "application/json")
	if f.HasDeadlines() {
		carrierhttp.SetTimeout(ctx, req.Header)
	}
	return req, nil
}

// PlacedID is the id of the order that an answer to a PlaceRequest tells of, or "".
func PlacedID(answer *http.Response) string {
	location := answer.Header.Get("Location")
	return location[strings.LastIndex(location, "/")+1:]
}

// ReadyPath is where a service says whether it can work.
const ReadyPath = "/readyz"

// Readiness is the body of GET ReadyPath: whether a service, or the gateway and all services behind it, can work.
type Readiness struct {
	Service       string   `json:"service"`
	Status        string   `json:"status"` // ready, or not ready, which is a 503
	Waiting       []string `json:"waiting_for,omitempty"`
	FaultsAllowed *bool    `json:"faults_allowed,omitempty"` // of a service that is ready
}

// NotReadyError says what a gateway waits for before orders can be placed.
type NotReadyError struct{ Waiting []string }

// Error names the services that are not ready.
func (e *NotReadyError) Error() string {
	return "the gateway waits for " + strings.Join(e.Waiting, ", ")
}

// NotReady reads the body of a gateway's answer to GET ReadyPath whose status is not 200. It is nil when the body does not say what the gateway waits
// for: then it is the answer of something else.
func NotReady(body []byte) *NotReadyError {
	var r Readiness
	_ = json.Unmarshal(body, &r) // what is not JSON waits for nobody
	if len(r.Waiting) == 0 {
		return nil
	}
	return &NotReadyError{r.Waiting}
}
