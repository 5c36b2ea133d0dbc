package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/internal/hint"
	"tracelab/internal/otlp"
)

// receiveCommand is `tracelab receive`.
type receiveCommand struct {
	OTLP  string        `name:"otlp" env:"TRACELAB_RECEIVE_OTLP" help:"Take spans here: OTLP over gRPC, and over HTTP on the next port (default ${default})." default:"127.0.0.1:4317" placeholder:"HOST:PORT"`
	Out   string        `env:"TRACELAB_RECEIVE_OUT" help:"The file to write: one OTLP/JSON document a line (default ${default})." default:"traces.otlp.jsonl" placeholder:"FILE"`
	For   time.Duration `help:"Stop after this time (default: at Ctrl-C)." placeholder:"DURATION"`
	Limit int64         `env:"TRACELAB_RECEIVE_LIMIT" help:"Refuse spans when this many MB of them, as OTLP protobuf, have been taken (default ${default})." default:"1024" placeholder:"MB"`
}

// receiveGrace is how long requests under way may take to end when the command is told to stop.
const receiveGrace = 5 * time.Second

// Run takes spans until it is told to stop, and says how many came.
func (c *receiveCommand) Run(ctx context.Context, s *streams) error {
	if c.For < 0 || c.Limit <= 0 {
		return usageError{errors.New("--for and --limit: use positive values")}
	}
	file, err := newSpanFile(c.Out)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if c.For > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, c.For)
		defer stop()
	}
	file.failed = cancel
	receiver, err := otlp.StartReceiver(otlp.ReceiverConfig{Address: c.OTLP, Keep: file.keep, Logger: s.log, MaxBytes: c.Limit << 20})
	if err != nil {
		file.file.abandon()
		return err
	}
	overGRPC, overHTTP := receiver.Addresses()
	s.talk("taking spans at %s (gRPC) and http://%s; Ctrl-C ends it", overGRPC, overHTTP)
	s.talk("OTEL_EXPORTER_OTLP_ENDPOINT=http://%s OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf makes most SDKs send here", overHTTP)
	c.await(ctx, s, receiver)
	closing, stop := context.WithTimeout(context.WithoutCancel(ctx), receiveGrace)
	defer stop()
	err = errors.Join(receiver.Close(closing), file.commit())
	received := receiver.Received()
	if received.Refused > 0 {
		err = errors.Join(err, fmt.Errorf("%d spans were refused, for --limit %d MB were taken: their senders may have lost them", received.Refused, c.Limit))
	}
	if received.Kept == 0 {
		return errors.Join(err, errors.New("no span came: does your service send OTLP traces here?"))
	}
	noun := "spans"
	if received.Kept == 1 {
		noun = "span"
	}
	return errors.Join(s.say("%d %s in %s: %s", received.Kept, noun, c.Out, hint.Command(hint.Program(os.Args[0]), "journey", c.Out)), err)
}

// await waits for the end, and says meanwhile, on a terminal, how many spans have come and how much of --for is left.
func (c *receiveCommand) await(ctx context.Context, s *streams, receiver *otlp.Receiver) {
	progress := newProgress(s.err)
	defer progress.clear()
	tick := time.NewTicker(receiveTick)
	defer tick.Stop()
	for {
		line := fmt.Sprintf("%d spans", receiver.Received().Kept)
		if end, ok := ctx.Deadline(); ok && c.For > 0 {
			line += fmt.Sprintf(", %.0f s left", max(0, time.Until(end).Seconds()))
		}
		progress.line(line)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// receiveTick is how often that is said anew.
const receiveTick = time.Second

// spanFile writes spans as OTLP/JSON lines.
type spanFile struct {
	path   string
	failed context.CancelCauseFunc

	mu   sync.Mutex
	file *wholeFile
	out  *bufio.Writer
	err  error // the first one: nothing is written after it
}

func newSpanFile(path string) (*spanFile, error) {
	file, err := createWhole(path)
	if err != nil {
		return nil, fmt.Errorf("--out: %w", err)
	}
	return &spanFile{path: path, file: file, out: bufio.NewWriterSize(file, 1<<20)}, nil
}

// keep writes the spans of one request. It is called by many goroutines.
func (f *spanFile) keep(batch []byte) {
	traces, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(batch)
	var line []byte
	if err == nil {
		line, err = (&ptrace.JSONMarshaler{}).MarshalTraces(traces)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil && f.err == nil {
		_, err = f.out.Write(append(line, '\n'))
	}
	if err != nil && f.err == nil {
		f.err = fmt.Errorf("write %s: %w", f.path, err)
		f.failed(f.err)
	}
}

// commit ends the file and gives it its name.
func (f *spanFile) commit() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := errors.Join(f.err, f.out.Flush()); err != nil {
		return errors.Join(fmt.Errorf("%s is not whole: %w", f.file.Name(), err), f.file.Close())
	}
	return f.file.commit()
}
