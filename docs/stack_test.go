//go:build stack && (linux || darwin)

package docs_test

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"tracelab/internal/parts"
	"tracelab/internal/stack"
	"tracelab/internal/tutorial"
)

// TestTutorialsOnTheRealStack runs the pages that have commands for it, to the letter, with the addresses of a stack of their own.
func TestTutorialsOnTheRealStack(t *testing.T) {
	root, err := parts.Root()
	if err != nil {
		t.Fatal(err)
	}
	var progress bytes.Buffer
	options := stack.Options{Root: root, State: t.TempDir(), FreePorts: true, Progress: &progress}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := stack.Stop(ctx, options); err != nil {
			t.Error(err)
		}
	})
	state, err := stack.Start(t.Context(), options)
	if err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	var addresses []string
	for _, name := range slices.Sorted(maps.Keys(state.Addresses)) {
		addresses = append(addresses, name+"="+state.Addresses[name])
	}
	found := 0
	for file, page := range pages(t) {
		if !slices.ContainsFunc(page.Parts, func(p tutorial.Part) bool { return p.Info == "console stack" }) {
			continue
		}
		found++
		t.Run(file, func(t *testing.T) {
			shell, err := tutorial.NewShell(limited(t), t.TempDir(), append(environment(t), addresses...))
			printed, wrong := runPage(t, page, closed(t, shell, err), true)
			for _, what := range wrong {
				t.Error(what)
			}
			if *update {
				rewrite(t, file, page, printed)
			}
		})
	}
	if found == 0 {
		t.Error("no page has commands for the real stack")
	}
}
