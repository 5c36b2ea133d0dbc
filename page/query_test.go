package page

import (
	"net/http"
	"strings"
	"testing"

	"tracelab/lab"
	"tracelab/services"
)

// TestWrongAddressesAreRefused: a value in an address that no link of the page has is answered with what would be right, never with a page.
func TestWrongAddressesAreRefused(t *testing.T) {
	l := sharedLab(t)
	b := serve(t, l)
	journey := journeyPath(lab.UnitKey{Form: services.Kafka, Number: placed(t, l, services.Kafka)})
	for path, says := range map[string]string{
		"/flow?from=nothing":             "no flow",
		"/journeys?form=gprc":            "Did you mean grpc?",
		"/journeys?state=complete":       "Did you mean completed?",
		"/journeys?rows=5":               "use one of all",
		"/journeys?form=kafka,rest":      "no form",
		"/journeys/kafka/+0":             "no order of this number",
		"/journeys/kafka/00":             "no order of this number",
		"/journeys?form=<script>":        "no form",
		journey + "?tab=nowhere":         "use one of headers, findings, prediction",
		journey + "?with=grpc,kafak":     "Did you mean kafka?",
		journey + "?rows=some":           "use one of all",
		journey + "?span=zz":             "16 hexadecimal digits",
		"/journeys/kafka/999999":         "no order of this number",
		"/claims/nothing":                "no claim",
		"/events?page=/nothing":          "name a page such as /live",
		"/events?page=http://other/live": "name a page such as /live",
	} {
		answer, text := b.send(http.MethodGet, path, "")
		if answer.StatusCode < 400 || answer.StatusCode >= 500 || !strings.Contains(text, says) || strings.Contains(text, "<script>alert") {
			t.Errorf("%s: %d, want a refusal that says %q:\n%.300s", path, answer.StatusCode, says, text)
		}
	}
	for _, path := range []string{"/journeys?form=&state=completed&rows=all", journey + "?with=grpc,none&span=00000000000000ab&tab=&utm_source=x"} {
		b.get(path)
	}
}
