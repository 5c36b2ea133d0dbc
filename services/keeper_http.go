package services

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"tracelab/services/internal/carrier"
	carrierhttp "tracelab/services/internal/carrier/http"
)

func (k *keeper) get(w http.ResponseWriter, r *http.Request) {
	state, known, err := k.ledger.get(r.Context(), r.PathValue("id"))
	switch {
	case err != nil:
		carrierhttp.WriteProblem(w, k.flow.named(carrier.AsFailed("", err)))
	case !known:
		carrierhttp.WriteProblem(w, k.flow.named(carrier.Fail("", notFound(k.flow.Flow), "no "+k.flow.Unit+" "+r.PathValue("id"))))
	default:
		carrierhttp.WriteJSON(w, http.StatusOK, state)
	}
}

func (k *keeper) accounts(w http.ResponseWriter, r *http.Request) {
	summary, err := k.ledger.summary(r.Context(), r.PathValue("run"))
	if err != nil {
		carrierhttp.WriteProblem(w, k.flow.named(carrier.AsFailed("", err)))
		return
	}
	carrierhttp.WriteJSON(w, http.StatusOK, summary)
}

// list answers one page of a run's orders, by age. The header Link leads to the next page while there is one.
func (k *keeper) list(w http.ResponseWriter, r *http.Request) {
	after, limit, failed := pageOf(r.URL.Query())
	if failed != nil {
		carrierhttp.WriteProblem(w, k.flow.named(failed))
		return
	}
	states, next, err := k.ledger.page(r.Context(), r.PathValue("run"), after, limit)
	if err != nil {
		carrierhttp.WriteProblem(w, k.flow.named(carrier.AsFailed("", err)))
		return
	}
	if next > 0 {
		w.Header().Set("Link", fmt.Sprintf("<%s?after=%d&limit=%d>; rel=\"next\"", r.URL.EscapedPath(), next, limit))
	}
	carrierhttp.WriteJSON(w, http.StatusOK, states)
}

// MaxPage is the most orders that one page of GET /runs/{run}/orders lists, and what it lists unless ?limit= says less.
const MaxPage = 1000

// pageOf reads which page is asked for.
func pageOf(query url.Values) (after uint64, limit int, failed *carrier.Failed) {
	limit = MaxPage
	var err error
	if text := query.Get("after"); text != "" {
		if after, err = strconv.ParseUint(text, 10, 64); err != nil {
			return 0, 0, carrier.Fail("", carrier.BadRequest, fmt.Sprintf("after=%q: follow the address in the header Link", text))
		}
	}
	if text := query.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > MaxPage {
			return 0, 0, carrier.Fail("", carrier.BadRequest, fmt.Sprintf("limit=%q: use 1 to %d", text, MaxPage))
		}
	}
	return after, limit, nil
}
