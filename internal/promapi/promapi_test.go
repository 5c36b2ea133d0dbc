package promapi_test

import (
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"tracelab/internal/promapi"
)

// answering is a server that says the same to everybody, and keeps what it was asked.
func answering(t *testing.T, status int, body string) (promapi.Client, *http.Request) {
	t.Helper()
	var asked http.Request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm() // an error leaves the form empty, and the test fails
		asked = *r
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	return promapi.Client{URL: server.URL + "/"}, &asked
}

func TestAnswersAreRead(t *testing.T) {
	c, asked := answering(t, 200, `{"status":"success","data":{"result":[{"metric":{"a":"b"},"value":[1,"2.5"]},{"metric":{},"value":[1,"NaN"]}]}}`)
	samples, err := c.Query(t.Context(), "up{}")
	if err != nil || len(samples) != 2 || samples[0].Labels["a"] != "b" || samples[0].Value != 2.5 || samples[1].Value == samples[1].Value || asked.FormValue("query") != "up{}" {
		t.Errorf("%+v, %v, asked %v", samples, err, asked.Form)
	}
	c, asked = answering(t, 200, `{"status":"success","data":[{"seriesLabels":{"a":"b"},"exemplars":[{"labels":{"trace_id":"1f"},"value":"0.5","timestamp":1700000000.25},{"labels":{}}]},{"exemplars":[{"labels":{"trace_id":"2f"}}]}]}`)
	list, err := c.Exemplars(t.Context(), "x", time.Unix(1, 0), time.Unix(2, 0))
	if err != nil || len(list) != 2 || !reflect.DeepEqual(list[0], promapi.Exemplar{TraceID: "1f", Series: map[string]string{"a": "b"}, Value: "0.5", At: time.UnixMilli(1700000000250)}) ||
		list[1].TraceID != "2f" || asked.FormValue("start") != "1970-01-01T00:00:01Z" {
		t.Errorf("%+v, %v, asked %v", list, err, asked.Form)
	}
	c, _ = answering(t, 200, `{"status":"success","data":{"activeTargets":[{"scrapeUrl":"http://x","health":"down","lastError":"no","labels":{"job":"j"}}]}}`)
	targets, err := c.Targets(t.Context())
	if err != nil || !reflect.DeepEqual(targets, []promapi.Target{{URL: "http://x", Health: "down", Error: "no", Labels: map[string]string{"job": "j"}}}) {
		t.Errorf("%+v, %v", targets, err)
	}
	c, _ = answering(t, 200, `{"status":"success","data":{"version":"3.1"}}`)
	if version, err := c.Version(t.Context()); err != nil || version != "3.1" {
		t.Errorf("%q, %v", version, err)
	}
}

func TestWhatIsNoAnswerIsAnError(t *testing.T) {
	for _, c := range []struct {
		status     int
		body, want string
	}{
		{400, `{"status":"error","error":"parse error"}`, "refuses it: parse error"},
		{503, "starting", "503 Service Unavailable"},
		{200, "<html>", "not that of a Prometheus"},
		{200, `{"status":"StatusOK"}`, "not that of a Prometheus"},
		{200, `{"status":"success","data":7}`, "not what was expected"},
		{200, `{"status":"success","data":{"result":[{"metric":{},"value":[1,"x"]}]}}`, "no number"},
	} {
		client, _ := answering(t, c.status, c.body)
		if samples, err := client.Query(t.Context(), "up"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d %s: %v, %v, want %q", c.status, c.body, samples, err, c.want)
		}
	}
}
