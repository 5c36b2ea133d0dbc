// Command notice writes the file NOTICE: which modules the program tracelab links, of which version, under which license, with the texts that their
// licenses want to be handed on.
//
//	go run ./tools/notice
//
// It asks the go command what cmd/tracelab is made of on Linux, and reads the texts out of the module cache. A license that it does not know is an
// error. The exit status is 0 when NOTICE is written, 1 on failure and 2 for a wrong command line.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
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

// run is the program; it returns the exit status.
func run(ctx context.Context, args []string, stderr io.Writer) int {
	flags := flag.NewFlagSet("notice", flag.ContinueOnError)
	flags.SetOutput(stderr)
	root := flags.String("root", ".", "top `folder` of the checkout")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if flags.NArg() > 0 {
		_, _ = fmt.Fprintln(stderr, "usage: notice [-root DIR]")
		return 2
	}
	text, err := notice(ctx, *root)
	if err == nil {
		err = os.WriteFile(filepath.Join(*root, "NOTICE"), text, 0o644)
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "notice:", err)
		return 1
	}
	return 0
}

// notice returns the text of NOTICE.
func notice(ctx context.Context, root string) ([]byte, error) {
	modules, err := linked(ctx, root)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = write(&out, modules)
	return out.Bytes(), err
}
