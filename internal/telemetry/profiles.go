package telemetry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/grafana/pyroscope-go"
	"golang.org/x/time/rate"
)

const (
	// ProfilesApplication is the application that profiles are pushed as, by every process of a lab: what its services do
	// is told apart by the labels service, form and step, whether they share a process or not.
	ProfilesApplication = "tracelab"
	profilesInterval    = 10 * time.Second // between two pushes
	profilesTimeout     = 5 * time.Second  // of one push
	maxAnswer           = 64 << 10         // bytes of an answer to a push: a sentence
)

// Profiles pushes the process's CPU profile to a Pyroscope. There is one CPU profiler in a process, and one of these.
type Profiles struct {
	profiler *pyroscope.Profiler
	pushes   *pushes
	giveUp   context.CancelFunc
}

// StartProfiles begins to push to a Pyroscope's URL. When it is away, only profiles are lost: that is logged at most once a
// minute, with a sum at the end.
func StartProfiles(address, version, instance, host string, logger *slog.Logger) (*Profiles, error) {
	if u, err := url.Parse(address); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("pyroscope address %q: use a URL such as http://127.0.0.1:4040", address)
	}
	pushing, giveUp := context.WithCancel(context.Background())
	p := &Profiles{giveUp: giveUp, pushes: &pushes{
		client: &http.Client{Timeout: profilesTimeout, Transport: &http.Transport{}},
		ended:  pushing.Done(), trouble: rate.Sometimes{First: 1, Interval: troubleInterval}, log: logger, to: address,
	}}
	var err error
	p.profiler, err = pyroscope.Start(pyroscope.Config{
		ApplicationName: ProfilesApplication, ServerAddress: address, UploadRate: profilesInterval,
		Tags:         map[string]string{"service_version": version, "instance": instance, "hostname": host},
		ProfileTypes: []pyroscope.ProfileType{pyroscope.ProfileCPU}, // what the labels are for; a heap has none
		HTTPClient:   p.pushes, Logger: profilerLog{logger},
	})
	if err != nil {
		p.giveUp()
		return nil, fmt.Errorf("profiles to %s: %w", address, err)
	}
	return p, nil
}

// Stop pushes the last profile and ends profiling. When the context ends first, it gives up the push under way.
func (p *Profiles) Stop(ctx context.Context) {
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		p.profiler.Flush(true) // Stop alone may lose the last profile
		_ = p.profiler.Stop()  // always nil
	}()
	defer context.AfterFunc(ctx, p.giveUp)()
	<-stopped // soon after giveUp at the latest: only pushes take time
	p.giveUp()
	p.pushes.client.CloseIdleConnections()
	if n := p.pushes.failed.Load(); n > 0 {
		p.pushes.log.Warn("profiles lost", "pushes", n)
	}
}

// pushes is the profiler's HTTP client: it can be stopped, and logs failures at most once a minute.
type pushes struct {
	client  *http.Client
	ended   <-chan struct{}
	failed  atomic.Int64
	trouble rate.Sometimes
	log     *slog.Logger
	to      string
}

// Do sends a push.
func (p *pushes) Do(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), profilesTimeout)
	defer cancel() // bufferBody has read the answer by then
	go func() {
		select {
		case <-p.ended:
			cancel()
		case <-ctx.Done():
		}
	}()
	resp, err := p.client.Do(req.WithContext(ctx))
	if err == nil {
		err = bufferBody(resp)
	}
	if err == nil && resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	why := err
	if why == nil {
		why = errors.New("it answered " + resp.Status)
	}
	n := p.failed.Add(1)
	p.trouble.Do(func() {
		p.log.Warn("profile not pushed: is a Pyroscope there?", "to", p.to, "lost_so_far", n, "error", why)
	})
	return resp, err
}

// bufferBody reads the body of an answer into memory, so that it outlives the request's context.
func bufferBody(resp *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	err = errors.Join(err, resp.Body.Close())
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return err
}

// profilerLog takes the profiler's own log lines. It skips errors about pushes, which pushes logs already.
type profilerLog struct{ log *slog.Logger }

// Infof logs at level debug.
func (l profilerLog) Infof(format string, args ...any) {
	l.log.Debug(fmt.Sprintf("pyroscope: "+format, args...))
}

// Debugf logs at level debug.
func (l profilerLog) Debugf(format string, args ...any) {
	l.log.Debug(fmt.Sprintf("pyroscope: "+format, args...))
}

// Errorf logs a warning, unless it is about a push.
func (l profilerLog) Errorf(format string, args ...any) {
	if format == "upload profile: %v" {
		l.Debugf(format, args...)
		return
	}
	l.log.Warn(fmt.Sprintf("pyroscope: "+format, args...))
}
