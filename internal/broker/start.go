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

	"tracelab/internal/parts"
	"tracelab/internal/server"
)

// Start runs a broker in b's folder until Stop, or finds the one that runs there, and returns when it answers. It writes lines for a person to
// progress.
func (b Broker) Start(ctx context.Context, progress io.Writer) (server.Process, error) {
	return b.folder().Start(ctx, progress, func(ctx context.Context, lock *os.File) (server.Process, error) {
		return b.startLocked(ctx, lock, progress)
	})
}

// startLocked starts a broker in a folder that is locked, and hands the lock on to it.
func (b Broker) startLocked(ctx context.Context, lock *os.File, progress io.Writer) (server.Process, error) {
	address, err := server.Address(b.Port)
	if err != nil {
		return server.Process{}, err
	}
	java, err := findJava(ctx)
	if err != nil {
		return server.Process{}, err
	}
	libs, err := fetchJars(ctx, progress)
	if err != nil {
		return server.Process{}, err
	}
	if err := b.writeSettings(address); err != nil {
		return server.Process{}, err
	}
	if err := b.format(ctx, java, libs); err != nil {
		return server.Process{}, err
	}
	return b.folder().Run(ctx, server.Process{Address: address}, parts.Command{
		Path: java, Detached: true, Files: []*os.File{lock},
		Args: []string{"-Xmx400m", "-Dorg.slf4j.simpleLogger.showDateTime=true",
			"-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
			"-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config=warn", // else every setting, nine times
			"-cp", filepath.Join(libs, "*"), "kafka.Kafka", b.properties()},
	})
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
