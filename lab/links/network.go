package links

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// Dial connects to a host:port.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Network is the ways between the parts of a lab: those of its links go through a proxy each, all others are as they are. New makes one; a nil or zero
// Network has no links, and none can be set.
type Network struct {
	dial  Dial
	where func(address string) string
	links []*used // only Set changes them
	api   *toxiproxy.ApiServer

	mu      sync.Mutex
	proxies map[way]*toxiproxy.Proxy
	closed  bool
	plain   map[*plain]way // connections without a link, of a network whose links can be set; else nil
	sets    int            // how often the links were set
	stop    context.CancelFunc
	timed   sync.WaitGroup
}

// way is from a part to an address of another.
type way struct{ from, address string }

// used is a link, and what went over it.
type used struct {
	Link
	active      bool // guarded by the network's lock
	stop        context.CancelFunc
	connections atomic.Int64
	bytes       atomic.Int64
}

// Use counts what went over a link, before, in and after the time in which it was disturbed.
type Use struct {
	Link        string `json:"link"`
	Connections int64  `json:"connections"`
	Bytes       int64  `json:"bytes"` // both ways
}

// New makes a network of links. where tells which part has an address. Close ends its proxies.
func New(list []Link, dial Dial, where func(address string) string) *Network {
	n := &Network{dial: dial, where: where, proxies: map[way]*toxiproxy.Proxy{}, stop: func() {},
		api: toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())}
	for _, l := range list {
		n.links = append(n.links, &used{Link: l})
	}
	return n
}

// Dial is how a part connects to others.
func (n *Network) Dial(from string) Dial {
	if n != nil && n.plain != nil {
		return n.dialSettable(from)
	}
	if n.none() || !slices.ContainsFunc(n.links, func(l *used) bool { return l.From == from }) {
		return nil
	}
	return n.dialFixed(from)
}

// none tells whether the network was not made by New.
func (n *Network) none() bool { return n == nil || n.where == nil }

// dialFixed is how a part connects to others when links do not change.
func (n *Network) dialFixed(from string) Dial {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		links := n.of(from, n.where(address))
		if len(links) == 0 {
			return n.dial(ctx, network, address)
		}
		return n.dialOver(ctx, network, way{from, address}, links)
	}
}

// dialOver connects over links.
func (n *Network) dialOver(ctx context.Context, network string, w way, links []*used) (net.Conn, error) {
	through, err := n.proxy(w, links)
	if err != nil {
		return nil, err
	}
	conn, err := n.dial(ctx, network, through)
	if err != nil {
		return nil, err
	}
	for _, l := range links {
		l.connections.Add(1)
	}
	return &counted{conn, links}, nil
}

// of lists the links from one part to another.
func (n *Network) of(from, to string) []*used {
	var list []*used
	for _, l := range n.links {
		if l.From == from && l.To == to {
			list = append(list, l)
		}
	}
	return list
}

// proxy is the address of a way's proxy, which it starts when it is first needed.
func (n *Network) proxy(w way, links []*used) (string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return "", net.ErrClosed
	}
	if p := n.proxies[w]; p != nil {
		return p.Listen, nil
	}
	p := toxiproxy.NewProxy(n.api, w.from+">"+w.address, "127.0.0.1:0", w.address)
	if err := p.Start(); err != nil {
		return "", fmt.Errorf("proxy of %s to %s: %w", w.from, w.address, err)
	}
	n.proxies[w] = p
	for _, l := range links {
		if l.active {
			if err := l.disturb(p); err != nil {
				return "", err
			}
		}
	}
	return p.Listen, nil
}

// Begin disturbs the links at their times, from the run's begin on, until Close.
func (n *Network) Begin(ctx context.Context, began time.Time) {
	if n.none() {
		return
	}
	ctx, n.stop = context.WithCancel(ctx)
	for _, l := range n.links {
		n.begin(ctx, l, began)
	}
}

// begin disturbs one link at its times.
func (n *Network) begin(ctx context.Context, l *used, began time.Time) {
	if l.Begin == 0 {
		n.set(l, true)
	}
	n.timed.Go(func() {
		if l.Begin > 0 && sleep(ctx, time.Until(began.Add(l.Begin))) {
			n.set(l, true)
		}
		if l.End > 0 && sleep(ctx, time.Until(began.Add(l.End))) {
			n.set(l, false)
		}
	})
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// set begins or ends the disturbance of a link. A proxy takes every toxic that disturb makes.
func (n *Network) set(l *used, active bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return
	}
	l.active = active
	for w, p := range n.proxies {
		if w.from != l.From || n.where(w.address) != l.To {
			continue
		}
		if active {
			_ = l.disturb(p)
		} else {
			l.calm(p)
		}
	}
}

// toxics are what toxiproxy calls the link's kinds, with their attributes.
func (l *used) toxics() map[string]string {
	list := map[string]string{}
	if l.Latency > 0 {
		list["latency"] = fmt.Sprintf(`{"latency":%d,"jitter":%d}`, l.Latency.Milliseconds(), l.Jitter.Milliseconds())
	}
	if l.Bandwidth > 0 {
		list["bandwidth"] = fmt.Sprintf(`{"rate":%d}`, l.Bandwidth)
	}
	if l.Cut {
		list["timeout"] = `{"timeout":0}`
	}
	if l.Reset {
		list["reset_peer"] = `{"timeout":0}`
	}
	return list
}

func (l *used) name(kind, stream string) string { return l.String() + " " + kind + " " + stream }

func (l *used) disturb(p *toxiproxy.Proxy) error {
	for kind, attributes := range l.toxics() {
		for _, stream := range []string{"upstream", "downstream"} {
			text := fmt.Sprintf(`{"name":%q,"type":%q,"stream":%q,"toxicity":1,"attributes":%s}`, l.name(kind, stream), kind, stream, attributes)
			if _, err := p.Toxics.AddToxicJson(strings.NewReader(text)); err != nil {
				return fmt.Errorf("link %s: %w", l, err)
			}
		}
	}
	return nil
}

// calmTimeout bounds the wait for a proxy to let go of a toxic.
const calmTimeout = time.Second

func (l *used) calm(p *toxiproxy.Proxy) {
	ctx, cancel := context.WithTimeout(context.Background(), calmTimeout)
	defer cancel()
	for kind := range l.toxics() {
		for _, stream := range []string{"upstream", "downstream"} {
			_ = p.Toxics.RemoveToxic(ctx, l.name(kind, stream)) // one that is gone needs no removal
		}
	}
}

// Used tells what went over each link.
func (n *Network) Used() []Use {
	if n.none() {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	list := make([]Use, len(n.links))
	for i, l := range n.links {
		list[i] = Use{l.String(), l.connections.Load(), l.bytes.Load()}
	}
	return list
}

// Close ends all proxies and with them their connections.
func (n *Network) Close() {
	if n.none() {
		return
	}
	n.stop()
	n.mu.Lock()
	for _, l := range n.links {
		if l.stop != nil {
			l.stop()
		}
	}
	n.mu.Unlock()
	n.timed.Wait()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = true
	for _, p := range n.proxies {
		p.Stop()
	}
	n.proxies = nil
}

// counted is a connection over links.
type counted struct {
	net.Conn
	links []*used
}

// Read counts what it reads.
func (c *counted) Read(b []byte) (int, error) {
	k, err := c.Conn.Read(b)
	c.count(k)
	return k, err
}

// Write counts what it writes.
func (c *counted) Write(b []byte) (int, error) {
	k, err := c.Conn.Write(b)
	c.count(k)
	return k, err
}

func (c *counted) count(bytes int) {
	for _, l := range c.links {
		l.bytes.Add(int64(bytes))
	}
}
