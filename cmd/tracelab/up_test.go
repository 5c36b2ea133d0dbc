package main

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestUp starts the lab with its page beside a program that has the port, places an order, and ends both as Ctrl-C does.
func TestUp(t *testing.T) {
	t.Parallel()
	first := start(t, "up", "--listen", "127.0.0.1:0")
	address := first.await(t, `the lab is at http://(\S+);`)[1]
	if status, text := get(t, "http://"+address+"/"); status != http.StatusOK || !strings.Contains(text, "tracelab") {
		t.Errorf("before the lab is up: %d %s", status, text)
	}
	first.await(t, `ready: open that address and place the first order`)
	second := start(t, "up", "--listen", address)
	other := second.await(t, `the lab is at http://(\S+);`)[1]
	if other == address || !strings.Contains(second.String(), address+" is taken: the page is at the next free port") {
		t.Errorf("beside another program: %s", second)
	}
	if status := second.end(t); status != exitDone {
		t.Errorf("ended while it starts: exit status %d: %s", status, second)
	}
	if status, text := get(t, "http://"+address+"/weather"); status != http.StatusOK || !strings.Contains(text, "No fault is on") {
		t.Errorf("the weather: %d %s", status, text)
	}
	if status := first.end(t); status != exitDone || !strings.Contains(first.String(), "ending…") {
		t.Errorf("exit status %d: %s", status, first)
	}
}

// TestUpRefuses names what is wrong on the command line before anything starts.
func TestUpRefuses(t *testing.T) {
	for line, want := range map[string]string{
		"up --listen 0.0.0.0:0":             "for this machine only",
		"up --listen 192.0.2.1:8080":        "for this machine only",
		"up --listen 8080":                  "write it as HOST:PORT",
		"up --listen 127.0.0.1:http":        "use a port from 0 to 65535",
		"up --recent 0":                     "use a number from 1 to 5000",
		"up --relation parents":             "no relation",
		"up --fault paymnt:delay=1s":        "no service",
		"up --link orders>paymnt:cut":       "no part that takes connections",
		"up --flow nonsense --listen [::1]": "nonsense",
	} {
		var talk strings.Builder
		if status := run(t.Context(), strings.Fields(line), nil, io.Discard, &talk); status != exitUsage || !strings.Contains(talk.String(), want) {
			t.Errorf("%s: exit status %d: %s", line, status, talk.String())
		}
	}
}
