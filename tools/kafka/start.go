//go:build linux || darwin

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// pause is between two looks at something that other processes do.
const pause = 50 * time.Millisecond

// start runs a broker in b's folder, or finds the one that runs there, and prints its address when it answers. While somebody else
// holds the folder it may be about to answer, or about to end: both are looked for.
func start(ctx context.Context, b broker, stdout, stderr io.Writer) error {
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return err
	}
	for {
		lock, err := b.lock()
		if err == nil {
			return startLocked(ctx, b, lock, stdout, stderr)
		}
		if !errors.Is(err, errHeld) {
			return err
		}
		p, err := b.readPID()
		if err == nil {
			err = ping(ctx, p.address)
		}
		if err == nil {
			_, _ = fmt.Fprintf(stderr, "kafka: runs already, pid %d, log %s\n", p.pid, b.log())
			_, _ = fmt.Fprintln(stdout, p.address)
			return nil
		}
		if sleep(ctx, pause) != nil {
			return fmt.Errorf("a broker of %s runs but does not answer: %w: %w (`kafka stop` ends it, its log is %s)", b.dir, context.Cause(ctx), err, b.log())
		}
	}
}

// startLocked starts a broker in a folder that is locked, and hands the lock on to it.
func startLocked(ctx context.Context, b broker, lock *os.File, stdout, stderr io.Writer) error {
	began := time.Now()
	command, address, err := b.prepare(ctx, stderr)
	if err != nil {
		return errors.Join(err, lock.Close())
	}
	command.ExtraFiles = []*os.File{lock}
	p, err := b.await(ctx, command, address)
	if err := errors.Join(err, lock.Close()); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(stderr, "kafka: started in %.1f s, pid %d, log %s\n", time.Since(began).Seconds(), p.pid, b.log())
	_, _ = fmt.Fprintln(stdout, p.address)
	return nil
}

// prepare makes everything ready that the broker needs, and returns the command that runs it, and its address.
func (b broker) prepare(ctx context.Context, stderr io.Writer) (*exec.Cmd, string, error) {
	if err := b.removePID(); err != nil { // left by a broker that was killed
		return nil, "", err
	}
	address, err := freeAddress(b.port)
	if err != nil {
		return nil, "", err
	}
	java, err := findJava(ctx)
	if err != nil {
		return nil, "", err
	}
	libs, err := fetchJars(ctx, stderr)
	if err != nil {
		return nil, "", err
	}
	if err := b.writeSettings(address); err != nil {
		return nil, "", err
	}
	if err := b.format(ctx, java, libs); err != nil {
		return nil, "", err
	}
	command := exec.Command(java, "-Xmx400m", "-Dorg.slf4j.simpleLogger.showDateTime=true",
		"-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
		"-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config=warn", // else every setting, nine times
		"-cp", filepath.Join(libs, "*"), "kafka.Kafka", b.properties())
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // Ctrl-C in the terminal is not for the broker
	return command, address, nil
}

// await runs the command until the broker answers. When it cannot, or ctx ends, no process and no pid file are left.
func (b broker) await(ctx context.Context, command *exec.Cmd, address string) (process, error) {
	log, err := os.Create(b.log())
	if err != nil {
		return process{}, err
	}
	command.Stdout, command.Stderr = log, log
	if err := errors.Join(command.Start(), log.Close()); err != nil {
		return process{}, err
	}
	exited := make(chan string, 1) // buffered: nobody reads it after a successful start
	go func() { exited <- describe(command.Wait()) }()
	p := process{pid: command.Process.Pid, address: address}
	err = b.writePID(p)
	for err == nil {
		if err := ping(ctx, p.address); err == nil {
			return p, nil
		}
		select {
		case how := <-exited:
			return process{}, errors.Join(fmt.Errorf("kafka ended while starting (%s): its log %s ends with\n%s", how, b.log(), b.lastLines(20)), b.removePID())
		case <-ctx.Done():
			err = fmt.Errorf("kafka does not answer at %s: %w: its log %s ends with\n%s", p.address, context.Cause(ctx), b.log(), b.lastLines(20))
		case <-time.After(pause):
		}
	}
	err = errors.Join(err, command.Process.Kill())
	<-exited // "signal: killed", by the line above
	return process{}, errors.Join(err, b.removePID())
}

// describe names the way a process ended.
func describe(status error) string {
	if status == nil {
		return "exit status 0"
	}
	return status.Error()
}

// format prepares the data folder, once: KRaft wants the cluster's id in it before the first start.
func (b broker) format(ctx context.Context, java, libs string) error {
	if _, err := os.Stat(filepath.Join(b.data(), "meta.properties")); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	command := exec.CommandContext(ctx, java, "-cp", filepath.Join(libs, "*"), "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
		"kafka.tools.StorageTool", "format", "-t", clusterID, "-c", b.properties())
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("format %s: %w: %s", b.data(), err, out)
	}
	return nil
}

// ping asks for metadata: an open port is not yet a broker. It fails after a second at the latest.
func ping(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(address))
	if err != nil {
		return err
	}
	defer client.Close()
	metadata, err := kadm.NewClient(client).BrokerMetadata(ctx)
	if err == nil && len(metadata.Brokers) == 0 {
		err = errors.New("it knows no broker yet")
	}
	return err
}

// lastLines returns the end of the broker's log.
func (b broker) lastLines(n int) string {
	text, err := os.ReadFile(b.log())
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// sleep waits, and returns ctx's error when that ends first.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
