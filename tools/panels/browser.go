package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"tracelab/tools/internal/chromium"
)

// drawTimeout bounds the drawing of one dashboard.
const drawTimeout = 3 * time.Minute

// browser serves the page on loopback and has Chromium draw it.
type browser struct {
	program string
	server  *http.Server
	address string
	work    string
	drawn   chan drawn
}

const html = `<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="/page.css"><style>body{margin:0}</style><div id="root"></div><script src="/page.js"></script>`

// newBrowser serves the APIs of Prometheus and Jaeger beside the page, so that the page needs no other origin.
func newBrowser(prometheus, jaeger, dashboards, work string) (*browser, error) {
	program, err := chromium.Find()
	if err != nil {
		return nil, err
	}
	metrics, err := url.Parse(prometheus)
	if err != nil {
		return nil, fmt.Errorf("-prometheus: %w", err)
	}
	traces, err := url.Parse(jaeger)
	if err != nil {
		return nil, fmt.Errorf("-jaeger: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b := &browser{program: program, address: "http://" + listener.Addr().String(), work: work, drawn: make(chan drawn, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, html) // a browser that has left needs no page
	})
	mux.Handle("/dashboards/", http.StripPrefix("/dashboards/", http.FileServer(http.Dir(dashboards))))
	mux.Handle("/", http.FileServer(http.Dir(work)))
	mux.Handle("/api/v1/", httputil.NewSingleHostReverseProxy(metrics))
	mux.Handle("/jaeger/", http.StripPrefix("/jaeger", httputil.NewSingleHostReverseProxy(traces)))
	mux.HandleFunc("POST /drawn", b.receive)
	b.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = b.server.Serve(listener) }() // ends with close
	return b, nil
}

func (b *browser) receive(w http.ResponseWriter, r *http.Request) {
	var d drawn
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<20)).Decode(&d); err != nil {
		d.Broken = "its report is not JSON: " + err.Error()
	}
	select {
	case b.drawn <- d:
	default: // a second report of the same page
	}
}

func (b *browser) close() { _ = b.server.Close() }

// draw makes a picture of a dashboard and returns what is on it.
func (b *browser) draw(ctx context.Context, file, picture string, view view) (drawn, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, drawTimeout, fmt.Errorf("not drawn within %v", drawTimeout))
	defer cancel()
	height, err := heightOf(file)
	if err != nil {
		return drawn{}, err
	}
	page := b.address + "/?" + url.Values{"file": {filepath.Base(file)}, "minutes": {strconv.Itoa(view.minutes)}, "flow": {view.flow}, "theme": {view.theme}}.Encode()
	shot := chromium.Shot{Page: page, File: picture, Width: 1600, Height: height, Work: b.work, Wait: 30 * time.Second}
	if err := shot.Take(ctx, b.program); err != nil {
		return drawn{}, err
	}
	select {
	case d := <-b.drawn:
		return d, nil
	default:
		return drawn{}, fmt.Errorf("%s ended before the page had drawn all", b.program)
	}
}

// heightOf returns the pixels that a dashboard needs, with a row to spare.
func heightOf(file string) (int, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	var dashboard panel
	if err := json.Unmarshal(text, &dashboard); err != nil {
		return 0, fmt.Errorf("read %s: %w", file, err)
	}
	return 38 * (dashboard.rows() + 2), nil
}

// panel is what the height of a picture depends on. A collapsed row has panels of its own, which are drawn, too.
type panel struct {
	GridPos struct{ Y, H int }
	Panels  []panel
}

// rows returns how far a panel, and what is in it, reaches down Grafana's grid.
func (p panel) rows() int {
	rows := p.GridPos.Y + p.GridPos.H
	for _, inside := range p.Panels {
		rows = max(rows, inside.rows())
	}
	return rows
}
