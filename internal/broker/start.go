//go:build linux || darwin

package broker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/internal/flock"
	"tracelab/internal/parts"
	"tracelab/internal/poll"
)

// pollInterval is the time between two looks at what another process does.
const pollInterval = 50 * time.Millisecond

// Start runs a broker in b's folder until Stop, or finds the one that runs there, and returns when it answers. While another process holds
// the folder it may be about to answer, or about to end: Start waits for either. It writes lines for a person to progress.
func (b Broker) Start(ctx context.Context, progress io.Writer) (Process, error) {
	if err := os.MkdirAll(b.Dir, 0o755); err != nil {
		return Process{}, err
	}
	var lock *os.File
	var running Process
	err := poll.Until(ctx, pollInterval, func(ctx context.Context) (err error) {
		if lock, err = flock.Try(b.LockFile()); !errors.Is(err, flock.ErrHeld) {
			return poll.Stop(err)
		}
		if running, err = b.readPID(); err == nil {
			err = ping(ctx, running.Address)
		}
		return err
	})
	switch _, unmet := errors.AsType[*poll.Unmet](err); {
	case unmet:
		return Process{}, fmt.Errorf("a broker of %s runs but does not answer: %w (`kafka stop` ends it, its log is %s)", b.Dir, err, b.Log())
	case err != nil:
		return Process{}, err
	case lock == nil:
		_, _ = fmt.Fprintf(progress, "kafka: runs already, pid %d, log %s\n", running.PID, b.Log())
		return running, nil
	}
	began := time.Now()
	started, err := b.startLocked(ctx, lock, progress)
	if err := errors.Join(err, lock.Close()); err != nil { // the broker's process holds a copy
		return Process{}, err
	}
	_, _ = fmt.Fprintf(progress, "kafka: started in %.1f s, pid %d, log %s\n", time.Since(began).Seconds(), started.PID, b.Log())
	return started, nil
}

// startLocked starts a broker in a folder that is locked, and hands the lock on to it.
func (b Broker) startLocked(ctx context.Context, lock *os.File, progress io.Writer) (Process, error) {
	if err := b.removePID(); err != nil { // left by a broker that was killed
		return Process{}, err
	}
	address, err := freeAddress(b.Port)
	if err != nil {
		return Process{}, err
	}
	java, err := findJava(ctx)
	if err != nil {
		return Process{}, err
	}
	libs, err := fetchJars(ctx, progress)
	if err != nil {
		return Process{}, err
	}
	if err := errors.Join(b.writeSettings(address), os.WriteFile(b.Log(), nil, 0o644)); err != nil {
		return Process{}, err
	}
	if err := b.format(ctx, java, libs); err != nil {
		return Process{}, err
	}
	return b.await(ctx, address, parts.Command{
		Name: "kafka", Path: java, Log: b.Log(), Detached: true, Files: []*os.File{lock},
		Args: []string{"-Xmx400m", "-Dorg.slf4j.simpleLogger.showDateTime=true",
			"-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
			"-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config=warn", // else every setting, nine times
			"-cp", filepath.Join(libs, "*"), "kafka.Kafka", b.properties()},
	})
}

// await runs the command until the broker answers. When it cannot, or ctx ends, no process and no pid file are left.
func (b Broker) await(ctx context.Context, address string, command parts.Command) (Process, error) {
	process, err := parts.Start(ctx, command)
	if err != nil {
		return Process{}, err
	}
	p := Process{PID: process.PID(), Address: address}
	err = b.writePID(p)
	if err == nil {
		err = poll.Until(ctx, pollInterval, func(ctx context.Context) error {
			err := ping(ctx, p.Address)
			select {
			case <-process.Done(): // whoever answers is another program
				return poll.Stop(endedEarly(process))
			default:
				return err
			}
		})
	}
	if err == nil {
		return p, nil
	}
	if unmet, ok := errors.AsType[*poll.Unmet](err); ok {
		err = fmt.Errorf("kafka does not answer at %s: %w: its log %s ends with\n%s", p.Address, unmet.Cause, b.Log(), process.LogTail(20))
	}
	return Process{}, errors.Join(err, process.Kill(), b.removePID())
}

// endedEarly says how a broker ended that was still starting.
func endedEarly(p *parts.Process) error {
	if err := p.Err(); err != nil {
		return fmt.Errorf("while starting: %w", err)
	}
	return fmt.Errorf("while starting: kafka ended with status 0; its log ends with\n%s", p.LogTail(20))
}

// format prepares the data folder, once: KRaft wants the cluster's id in it before the first start.
func (b Broker) format(ctx context.Context, java, libs string) error {
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
