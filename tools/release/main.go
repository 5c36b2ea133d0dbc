// Command release builds the program for every system that it is made for, into dist/VERSION: an archive for each with LICENSE, NOTICE and README.md, a
// list of what each program links (CycloneDX), and SHA256SUMS of all of it. The same commit gives the same bytes, by the same version of Go.
//
//	go run ./tools/release
//
// The version is the tag of the commit that is checked out, such as v1.2.3, else the commit. The exit status is 0 when everything is written, 1 on failure
// and 2 for a wrong command line.
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
	"slices"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// targets are the systems that a release is for.
func targets() []target {
	var all []target
	for _, system := range []string{"linux", "darwin", "windows"} {
		for _, processor := range []string{"amd64", "arm64"} {
			all = append(all, target{system, processor})
		}
	}
	return all
}

// run is the program; it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	flags.SetOutput(stderr)
	root := flags.String("root", ".", "top `folder` of the checkout")
	out := flags.String("out", "dist", "`folder` of releases; each has a folder in it")
	only := flags.String("targets", "", "`systems` with commas between them, such as linux/amd64 (default: all)")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	chosen, err := choose(*only)
	if err != nil || flags.NArg() > 0 {
		_, _ = fmt.Fprintln(stderr, errors.Join(err, errors.New("usage: release [-root DIR] [-out DIR] [-targets OS/ARCH,…]")))
		return 2
	}
	dir, err := release(ctx, *root, *out, chosen, stderr)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "release:", err)
		return 1
	}
	_, _ = fmt.Fprintln(stdout, dir)
	return 0
}

// choose reads a list of targets; none are all.
func choose(text string) ([]target, error) {
	if text == "" {
		return targets(), nil
	}
	var chosen []target
	for name := range strings.SplitSeq(text, ",") {
		i := slices.IndexFunc(targets(), func(t target) bool { return t.String() == name })
		if i < 0 {
			return nil, fmt.Errorf("no target %q: use some of %v", name, targets())
		}
		chosen = append(chosen, targets()[i])
	}
	return chosen, nil
}

// release builds everything and returns the folder that it is in.
func release(ctx context.Context, root, out string, chosen []target, talk io.Writer) (string, error) {
	c, err := checkedOut(ctx, root)
	if err != nil {
		return "", err
	}
	licenses, err := readLicenses(filepath.Join(root, "NOTICE"))
	if err != nil {
		return "", err
	}
	dir := filepath.Join(out, c.version)
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755)); err != nil { // of an earlier try
		return "", err
	}
	for _, t := range chosen {
		_, _ = fmt.Fprintf(talk, "building %s for %s\n", c.version, t)
		if err := buildFor(ctx, root, dir, c, t, licenses); err != nil {
			return "", fmt.Errorf("%s: %w", t, err)
		}
	}
	return dir, writeSums(dir)
}

// buildFor builds the program for one target, and writes its archive and the list of what it links.
func buildFor(ctx context.Context, root, dir string, c commit, t target, licenses map[string]string) error {
	folder, err := os.MkdirTemp("", "tracelab-release")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }() // a temporary folder
	program := filepath.Join(folder, t.program())
	if err := build(ctx, root, program, c, t); err != nil {
		return err
	}
	name := filepath.Join(dir, fmt.Sprintf("tracelab_%s_%s_%s", c.version, t.system, t.processor))
	if err := writeBOM(name+".cdx.json", program, c, t, licenses); err != nil {
		return err
	}
	files := []string{program}
	for _, beside := range []string{"LICENSE", "NOTICE", "README.md"} {
		files = append(files, filepath.Join(root, beside))
	}
	return writeArchive(name, t, c.at, files)
}
