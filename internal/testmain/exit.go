//go:build !race

package testmain

import "os"

// Exit ends the process with a status. It fits goleak.Cleanup.
func Exit(status int) { os.Exit(status) } //nolint:forbidigo // the end of a test's main
