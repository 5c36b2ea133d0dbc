package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// packages has the npm packages of the page, with their versions.
var packages = map[string]string{"@grafana/ui": "13.2.3", "@grafana/data": "13.2.3", "react": "19.3.1", "react-dom": "19.3.1", "esbuild": "0.28.2"}

// installed returns the folder with the packages in node_modules. It installs them when one is missing or has another version, and
// writes npm's output to progress.
func installed(ctx context.Context, progress io.Writer) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	folder := filepath.Join(cache, "tracelab", "panels")
	arguments := []string{"install", "--silent", "--no-audit", "--no-fund", "--save-exact", "--prefix", folder}
	missing := false
	for name, version := range packages {
		missing = missing || versionOf(folder, name) != version
		arguments = append(arguments, name+"@"+version)
	}
	if !missing {
		return folder, nil
	}
	_, _ = fmt.Fprintln(progress, "installing Grafana's components from npm into", folder, "(minutes, once)")
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return "", err
	}
	npm := exec.CommandContext(ctx, "npm", arguments...)
	npm.Stdout, npm.Stderr = progress, progress
	if err := npm.Run(); err != nil {
		return "", fmt.Errorf("npm install into %s: %w", folder, err)
	}
	return folder, nil
}

// versionOf returns the version of a package that is installed, or "".
func versionOf(folder, name string) string {
	text, err := os.ReadFile(filepath.Join(folder, "node_modules", filepath.FromSlash(name), "package.json"))
	if err != nil {
		return ""
	}
	var description struct{ Version string }
	if err := json.Unmarshal(text, &description); err != nil {
		return "" // half an installation
	}
	return description.Version
}

// bundle makes one script and one style sheet beside it.
func bundle(ctx context.Context, modules, source, script string) error {
	command := exec.CommandContext(ctx, filepath.Join(modules, "node_modules", ".bin", "esbuild"), source, "--bundle", "--outfile="+script,
		"--loader:.ttf=dataurl", `--define:process.env.NODE_ENV="production"`, "--log-level=error", "--log-limit=5")
	command.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(modules, "node_modules"))
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("bundle %s: %w\n%s", source, err, out)
	}
	return nil
}
