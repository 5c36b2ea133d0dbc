package page

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/net/netutil"
)

const (
	// headerTime, readTime and writeTime bound a request, but for streams of events, which bound each event. A change may stop a service first.
	headerTime = 5 * time.Second
	readTime   = 15 * time.Second
	writeTime  = time.Minute
	idleTime   = 2 * time.Minute
	// mostConnections may be open at the same time, mostHeader is the most bytes of a request's header.
	mostConnections = 128
	mostHeader      = 64 << 10
	// endTime is how long requests under way may take when the server ends.
	endTime = 3 * time.Second
	// portsTried is how many ports in a row are tried.
	portsTried = 20
)

// Listen listens at an address of this machine's loopback. When its port is taken, it takes the next free one, and says so by taken.
func Listen(address string) (listener net.Listener, taken bool, err error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, false, fmt.Errorf("address %q: write it as HOST:PORT, such as 127.0.0.1:8080", address)
	}
	ip := net.ParseIP(host)
	if host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, false, fmt.Errorf("address %q: use 127.0.0.1, [::1] or localhost: whoever reaches the page controls the lab, so it is for this machine only", address)
	}
	first, err := strconv.Atoi(port)
	if err != nil || first < 0 || first > 65535 {
		return nil, false, fmt.Errorf("address %q: use a port from 0 to 65535", address)
	}
	for next := first; next < first+portsTried && next <= 65535; next++ {
		listener, err = net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(next)))
		if err == nil {
			return listener, next != first, nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return nil, false, fmt.Errorf("listen at %s: %w", address, err)
		}
	}
	return nil, true, fmt.Errorf("listen at %s: that port and the next %d are taken: name another one", address, portsTried-1)
}

// Serve serves the page until the context ends, and closes the listener.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: headerTime, ReadTimeout: readTime, WriteTimeout: writeTime, IdleTimeout: idleTime, MaxHeaderBytes: mostHeader,
	}
	server.RegisterOnShutdown(s.EndStreams)
	defer s.claims.close()
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(netutil.LimitListener(listener, mostConnections)) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve the page: %w", err)
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
	defer cancel()
	err := server.Shutdown(ending)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close()
	}
	if serveErr := <-ended; !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, serveErr)
	}
	return err
}
