// Command panels draws the dashboards in Chromium and says what a person would miss on them.
//
//	go run ./tools/panels [-prometheus URL] [-jaeger URL] [-out DIR] [-minutes 15] [-flow NAME] [-theme light] [DASHBOARD.json ...]
//
// It writes one picture of each dashboard, 1600 pixels wide, and fails when a panel has no data (but those in expectEmpty), has an error, cuts a
// name off or must be scrolled. The drawing is our reading of the dashboards' JSON with Grafana's own components (@grafana/ui), not Grafana.
// It needs Chromium and Node.js; the components come from npm, once, into the user's cache, which takes minutes and 460 MB.
//
// The exit status is 0 when all is well, 1 when something is not and 2 for a wrong command line.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"tracelab/internal/parts"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the program; it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("panels", flag.ContinueOnError)
	flags.SetOutput(stderr)
	prometheus := flags.String("prometheus", os.Getenv("TRACELAB_PROMETHEUS"), "`URL` of Prometheus, else $TRACELAB_PROMETHEUS")
	jaeger := flags.String("jaeger", os.Getenv("TRACELAB_JAEGER"), "`URL` of Jaeger, for the graph of the services, else $TRACELAB_JAEGER")
	out := flags.String("out", "", "`folder` for the pictures (default tracelab-panels in the folder for temporary files)")
	minutes := flags.Int("minutes", 15, "how far back the dashboards look")
	flow := flags.String("flow", "", "the `flow` that is chosen (default all)")
	theme := flags.String("theme", "dark", "light or dark")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	if *prometheus == "" || *jaeger == "" || *minutes < 1 || *theme != "light" && *theme != "dark" {
		_, _ = fmt.Fprintln(stderr, "panels: name a Prometheus with -prometheus and a Jaeger with -jaeger (see `go run ./tools/stack env`), at least 1 for -minutes, and light or dark for -theme")
		return 2
	}
	if *out == "" {
		*out = filepath.Join(os.TempDir(), "tracelab-panels")
	}
	if err := draw(ctx, sources{*prometheus, *jaeger}, *out, view{*minutes, *flow, *theme}, flags.Args(), stdout, stderr); err != nil {
		_, _ = fmt.Fprintf(stderr, "panels: %v\n", err)
		return 1
	}
	return 0
}

// sources are the addresses of what the panels ask.
type sources struct{ prometheus, jaeger string }

// view is what a person has chosen above the panels.
type view struct {
	minutes int    // how far back
	flow    string // "": all
	theme   string // light or dark
}

// draw draws the dashboards with those file names, or all of them.
func draw(ctx context.Context, from sources, out string, view view, names []string, stdout, stderr io.Writer) error {
	root, err := parts.Root()
	if err != nil {
		return err
	}
	files := make([]string, len(names))
	for i, name := range names {
		files[i] = filepath.Join(root, "dashboards", filepath.Base(name))
	}
	if len(files) == 0 {
		if files, err = filepath.Glob(filepath.Join(root, "dashboards", "*.json")); err != nil || len(files) == 0 {
			return errors.Join(err, fmt.Errorf("no dashboards (*.json) below %s", root))
		}
	}
	modules, err := installed(ctx, stderr)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "tracelab-panels-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }() // a profile of the browser and a bundle
	if err := bundle(ctx, modules, filepath.Join(root, "tools", "panels", "page.jsx"), filepath.Join(work, "page.js")); err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o750); err != nil {
		return err
	}
	b, err := newBrowser(from.prometheus, from.jaeger, filepath.Join(root, "dashboards"), work)
	if err != nil {
		return err
	}
	defer b.close()
	_, _ = fmt.Fprintln(stdout, "drawn by our own reading of the dashboards with Grafana's components, not by Grafana")
	var wrong []error
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		picture := filepath.Join(out, name+".png")
		drawn, err := b.draw(ctx, file, picture, view)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		_, _ = fmt.Fprintf(stdout, "%-10s %2d panels  %s\n", name, len(drawn.Panels), picture)
		for _, complaint := range drawn.complaints() {
			wrong = append(wrong, fmt.Errorf("%s: %s", name, complaint))
		}
	}
	return errors.Join(wrong...)
}
