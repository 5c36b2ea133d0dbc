package services

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"sync"
)

// gatherReports asks the other services of the flow for what their process says of a run, under /runs/{run}/WHAT/here, and passes on the report of each
// process once, however many services it has. Own is the gateway's process, and limit is how much of an answer is read, in bytes. It returns the services
// that gave no answer, with the reason. Calls of add do not overlap.
func gatherReports[R any](ctx context.Context, g *gateway, run, what string, limit int64, processOf func(R) string, add func(R)) (silent map[string]string) {
	silent = map[string]string{}
	seen := map[string]bool{g.process: true}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, service := range g.flow.Services() {
		if service == Gateway {
			continue
		}
		wg.Go(func() {
			var one R
			answer, err := g.http.Get(ctx, service, "/runs/"+url.PathEscape(run)+"/"+what+"/here", limit)
			if err == nil && answer.Status == http.StatusOK {
				err = json.Unmarshal(answer.Body, &one)
			}
			mu.Lock()
			defer mu.Unlock()
			switch process := processOf(one); {
			case err != nil:
				silent[service] = err.Error()
			case answer.Status != http.StatusOK:
				silent[service] = http.StatusText(answer.Status)
			case !seen[process]:
				seen[process] = true
				add(one)
			}
		})
	}
	wg.Wait()
	return silent
}
