package lab_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"tracelab/lab"
	"tracelab/services"
)

// moreThanAPage is how many units have more than one page of states.
const moreThanAPage = 130

// TestLiveReadsOnAfterAFailedRound: clients are told nothing, all that is known of their units is in their state, and the round that reads it fails at
// its end. The next one still counts each unit once.
func TestLiveReadsOnAfterAFailedRound(t *testing.T) {
	t.Parallel()
	receiver := receiverAddress(t)
	elsewhere := startTarget(t, receiver, unchanged)
	gateway, err := url.Parse(elsewhere.url)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(gateway)
	var reads, failed atomic.Bool // states may be read, and a round has failed
	var paged atomic.Int32        // pages that were read
	between := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		run := strings.HasPrefix(r.URL.Path, "/runs/")
		page := strings.HasSuffix(r.URL.Path, "/orders")
		switch {
		case run && !reads.Load(), run && !page && paged.Load() >= 2 && !failed.Swap(true):
			http.Error(w, "not now", http.StatusServiceUnavailable)
			return
		case run && page:
			paged.Add(1)
		}
		if r.Method == http.MethodPost {
			proxy.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler) // the order is placed, and its client has no answer
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(between.Close)
	l := openLive(t, lab.Config{Seed: 1, Target: between.URL, ReceiveOTLP: receiver, Forms: []services.Form{services.GRPC}}, 0)
	defer closeLive(t, l)
	var clients sync.WaitGroup
	for range moreThanAPage {
		clients.Go(func() {
			if _, err := l.Place(t.Context(), services.GRPC); err != nil {
				t.Error(err)
			}
		})
	}
	clients.Wait()
	reads.Store(true)
	a := rest(t, l).Forms[0].Accounts
	if wrong := a.Imbalances(); len(wrong) > 0 || a.Completed+a.Failed != moreThanAPage || a.Unanswered != moreThanAPage || a.Unknown != 0 || !failed.Load() {
		t.Errorf("%q %+v; a round has failed: %v", wrong, a, failed.Load())
	}
}
