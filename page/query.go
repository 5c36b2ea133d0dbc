package page

import (
	"encoding/hex"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"tracelab/internal/vocabulary"
	"tracelab/journey"
	"tracelab/lab"
)

// checkQuery finds a value that no address of the page has. Keys that the page does not know are somebody else's.
func checkQuery(v url.Values, known map[string][]string) error {
	for _, key := range slices.Sorted(maps.Keys(known)) {
		for _, value := range v[key] {
			words := []string{value}
			if key == "with" { // the only one that may be a list
				words = strings.Split(value, ",")
			}
			for _, word := range words {
				if word != "" && !slices.Contains(known[key], word) {
					return helpful(&vocabulary.UnknownError{What: key, Word: clip(word, nameLimit), Known: known[key]})
				}
			}
		}
	}
	return nil
}

// checkListQuery checks the address of the list of journeys.
func checkListQuery(l *lab.Live, v url.Values) error {
	return checkQuery(v, map[string][]string{"form": formNames(l), "state": lab.States(), "rows": {"all"}})
}

// checkJourneyQuery checks the address of a journey's page. A span that is not in the journey, and a twin that is not kept, may have been there.
func checkJourneyQuery(l *lab.Live, v url.Values) error {
	known := map[string][]string{"rows": {"all"}, "tab": {tabHeaders, tabFindings, tabPrediction}, "with": append(formNames(l), withNone)}
	if err := checkQuery(v, known); err != nil {
		return err
	}
	for _, span := range v["span"] {
		if id, err := hex.DecodeString(span); span != "" && (err != nil || len(id) != len(journey.SpanID{})) {
			return &vocabulary.UnknownError{What: "span", Word: clip(span, nameLimit), Known: []string{"16 hexadecimal digits"}}
		}
	}
	return nil
}

func formNames(l *lab.Live) []string {
	var names []string
	for _, form := range l.Forms() {
		names = append(names, string(form))
	}
	return names
}

// refuseQuery answers an address that asks for what there is not.
func (s *Server) refuseQuery(w http.ResponseWriter, r *http.Request, err error) {
	s.refuse(w, r, http.StatusNotFound, err)
}
