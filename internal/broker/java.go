//go:build linux || darwin

package broker

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"tracelab/internal/parts"
)

// oldestJava is what Apache Kafka 4's broker needs.
const oldestJava = 17

//go:embed pom.xml
var pom []byte

// findJava returns the java command, from JAVA_HOME or else from PATH, and refuses one that is too old for Kafka.
func findJava(ctx context.Context) (string, error) {
	java := "java"
	if home := os.Getenv("JAVA_HOME"); home != "" {
		java = filepath.Join(home, "bin", "java")
	}
	path, err := exec.LookPath(java)
	if err != nil {
		return "", fmt.Errorf("no java found (JAVA_HOME, then PATH): install version %d or newer, on Debian with `apt-get install openjdk-17-jre-headless`: %w", oldestJava, err)
	}
	out, err := exec.CommandContext(ctx, path, "-version").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s -version: %w: %s", path, err, out)
	}
	version, err := javaVersion(string(out))
	if err != nil {
		return "", fmt.Errorf("%s -version: %w", path, err)
	}
	if version < oldestJava {
		return "", fmt.Errorf("%s is java %d, and Kafka 4 needs %d or newer: install it, or point JAVA_HOME to it", path, version, oldestJava)
	}
	return path, nil
}

var javaVersionLine = regexp.MustCompile(`version "(?:1\.)?(\d+)`)

// javaVersion reads the major version from what `java -version` prints: 8 from "1.8.0_392", 17 from "17.0.15".
func javaVersion(output string) (int, error) {
	match := javaVersionLine.FindStringSubmatch(output)
	if match == nil {
		return 0, fmt.Errorf("no version in %q", strings.TrimSpace(output))
	}
	return strconv.Atoi(match[1])
}

// fetchJars returns the folder of Kafka's jars in the user's cache; the first time Maven copies them there. The folder's name
// depends on pom.xml, so another version is another folder, and it appears by a rename, so a folder that exists is whole.
func fetchJars(ctx context.Context, log io.Writer) (string, error) {
	cache, err := parts.CacheFolder()
	if err != nil {
		return "", err
	}
	home := filepath.Join(cache, fmt.Sprintf("kafka-%.4x", sha256.Sum256(pom)))
	libs := filepath.Join(home, "libs")
	if _, err := os.Stat(libs); err == nil {
		return libs, nil
	}
	maven, err := exec.LookPath("mvn")
	if err != nil {
		return "", fmt.Errorf("no mvn found in PATH: Maven fetches Kafka's jars once, on Debian `apt-get install maven`: %w", err)
	}
	_, _ = fmt.Fprintln(log, "kafka: fetching Apache Kafka with Maven, once")
	if err := os.MkdirAll(home, 0o755); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(home, "pom.xml"), pom, 0o644); err != nil {
		return "", err
	}
	fetched, err := os.MkdirTemp(home, "fetching-")
	if err != nil {
		return "", err
	}
	command := exec.CommandContext(ctx, maven, "--quiet", "--batch-mode", "--file", filepath.Join(home, "pom.xml"),
		"dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory="+fetched)
	if out, err := command.CombinedOutput(); err != nil {
		return "", errors.Join(fmt.Errorf("fetch Kafka's jars with %s: %w: %s", maven, err, out), os.RemoveAll(fetched))
	}
	if err := os.Rename(fetched, libs); err != nil && !errors.Is(err, fs.ErrExist) { // another start was faster: its jars are the same
		return "", err
	}
	return libs, os.RemoveAll(fetched)
}
