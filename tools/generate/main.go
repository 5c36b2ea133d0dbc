// Command generate writes the Go code for .proto files without protoc: it compiles them with protocompile and hands the result
// to the two plugins that protoc would run, protoc-gen-go and protoc-gen-go-grpc, at the versions in this folder's go.mod.
//
//	go -C tools/generate run . [-root DIR] [-check] FILE.proto...
//
// FILE is relative to the root (by default the top of the checkout), and so are imports; well-known types need no file.
// The code lands beside its .proto. With -check nothing is written: files on disk that differ are named, and the exit status is 1.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stderr)
	stop()
	os.Exit(code)
}

// run is the program; 0 is done, 1 is a failure or a difference found by -check, 2 is a wrong command line.
func run(ctx context.Context, args []string, stderr io.Writer) int {
	flags := flag.NewFlagSet("generate", flag.ContinueOnError)
	flags.SetOutput(stderr)
	root := flags.String("root", filepath.Join("..", ".."), "`directory` that the files, their imports and the output are relative to")
	check := flags.Bool("check", false, "write nothing; fail when a file on disk differs from what would be written")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if flags.NArg() == 0 {
		_, _ = fmt.Fprintln(stderr, "generate: no .proto file named: generate [-root DIR] [-check] FILE.proto...")
		return 2
	}
	files, err := generate(ctx, *root, flags.Args())
	if err == nil {
		if *check {
			err = compareFiles(*root, files)
		} else {
			err = writeFiles(*root, files, stderr)
		}
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "generate: %v\n", err)
		return 1
	}
	return 0
}

// file is one generated file; its path is relative to the root.
type file struct {
	path    string
	content []byte
}

// generate compiles the .proto files and returns what all plugins make of them.
func generate(ctx context.Context, root string, protos []string) ([]file, error) {
	request, err := compile(ctx, root, protos)
	if err != nil {
		return nil, err
	}
	var files []file
	for _, plugin := range []string{"protoc-gen-go", "protoc-gen-go-grpc"} {
		made, err := runPlugin(ctx, plugin, request)
		if err != nil {
			return nil, err
		}
		files = append(files, made...)
	}
	return files, nil
}

// writeFiles writes the files that differ from what is on disk, and names them on log.
func writeFiles(root string, files []file, log io.Writer) error {
	for _, f := range files {
		path := filepath.Join(root, filepath.FromSlash(f.path))
		old, err := os.ReadFile(path)
		if err == nil && bytes.Equal(old, f.content) {
			continue
		}
		if err := os.WriteFile(path, f.content, 0o644); err != nil {
			return err
		}
		_, _ = fmt.Fprintln(log, "wrote", f.path)
	}
	return nil
}

// compareFiles returns an error that names every file which is missing on disk or differs.
func compareFiles(root string, files []file) error {
	var errs []error
	for _, f := range files {
		old, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(f.path)))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			errs = append(errs, fmt.Errorf("%s is missing: run `task generate`", f.path))
		case err != nil:
			errs = append(errs, err)
		case !bytes.Equal(old, f.content):
			errs = append(errs, fmt.Errorf("%s is not what its .proto gives: run `task generate`", f.path))
		}
	}
	return errors.Join(errs...)
}
