// Package chromium makes pictures of pages in a Chromium without a window.
package chromium

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Shot is one picture.
type Shot struct {
	Page          string // its address; file:// for a file
	File          string // of the picture, a PNG
	Width, Height int    // in pixels
	Work          string // a folder for the browser's profile, which stays until the caller removes it
	// Wait is how much time the page's own clock may run ahead for scripts that draw later. 0: the picture is made when the page has loaded.
	Wait time.Duration
}

// Find returns the program. The error says what to install.
func Find() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("no chromium: install Debian's package chromium")
}

// Take makes the picture with that program. Canceling the context ends the browser; the error has the cause and what the browser printed.
func (s Shot) Take(ctx context.Context, program string) error {
	profile, err := os.MkdirTemp(s.Work, "profile-")
	if err != nil {
		return err
	}
	file, err := filepath.Abs(s.File)
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, program, s.flags(profile, file)...)
	command.WaitDelay = 5 * time.Second // children of a browser that was killed keep its pipe open
	out, err := command.CombinedOutput()
	if err != nil {
		return errors.Join(fmt.Errorf("%s: %w", program, err), context.Cause(ctx), fmt.Errorf("%.2000s", out))
	}
	if _, err := os.Stat(file); err != nil { // the browser ends with 0 all the same
		return fmt.Errorf("%s made no picture: %w: %.2000s", program, err, out)
	}
	return nil
}

func (s Shot) flags(profile, file string) []string {
	flags := []string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync", "--no-first-run", "--hide-scrollbars",
		"--user-data-dir=" + profile, fmt.Sprintf("--window-size=%d,%d", s.Width, s.Height), "--screenshot=" + file,
	}
	if s.Wait > 0 {
		flags = append(flags, fmt.Sprintf("--virtual-time-budget=%d", s.Wait.Milliseconds()))
	}
	return append(flags, s.Page)
}
