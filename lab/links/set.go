package links

import (
	"context"
	"net"
	"slices"
	"sync"
	"time"
)

// NewSettable makes a network without links, whose links Set sets while it is in use. A connection without a link is as it is: no proxy is on its way,
// and only its end is noted.
func NewSettable(dial Dial, where func(address string) string) *Network {
	n := New(nil, dial, where)
	n.plain = map[*plain]way{}
	return n
}

// plain is a connection without a link.
type plain struct {
	net.Conn
	network *Network
	once    sync.Once
	err     error
}

// Close closes the connection.
func (p *plain) Close() error {
	p.once.Do(func() {
		p.err = p.Conn.Close()
		p.network.mu.Lock()
		defer p.network.mu.Unlock()
		delete(p.network.plain, p)
	})
	return p.err
}

// dialSettable is how a part connects to others when links may change: by those that there are at the time.
func (n *Network) dialSettable(from string) Dial {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		for {
			n.mu.Lock()
			list, sets := n.of(from, n.where(address)), n.sets
			n.mu.Unlock()
			w := way{from, address}
			if len(list) > 0 {
				conn, err := n.dialOver(ctx, network, w, list)
				if err != nil || n.still(w, sets) {
					return conn, err
				}
				_ = conn.Close()
				continue
			}
			conn, err := n.dial(ctx, network, address)
			if err != nil {
				return nil, err
			}
			if p, ok := n.note(conn, w, sets); ok {
				return p, nil
			}
			_ = conn.Close() // the links were set meanwhile: it may be one that needs a proxy now
		}
	}
}

// still tells whether the links are those of a time. A proxy that was made for others is ended.
func (n *Network) still(w way, sets int) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.sets == sets {
		return true
	}
	if p := n.proxies[w]; p != nil {
		delete(n.proxies, w)
		p.Stop()
	}
	return false
}

// note notes a connection without a link, unless links were set since it was dialed.
func (n *Network) note(conn net.Conn, w way, sets int) (*plain, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.sets != sets {
		return nil, false
	}
	p := &plain{Conn: conn, network: n}
	n.plain[p] = w
	return p, true
}

// Set puts links in the place of those before. Their times count from now, until ctx ends or they are replaced; a link that stays the same goes on as it
// was. Connections of ways whose links change are closed, so that whoever needs one opens it anew. A nil network has no links.
func (n *Network) Set(ctx context.Context, list []Link) {
	if n.none() {
		return
	}
	now := time.Now()
	for _, l := range n.replace(ctx, list) {
		n.begin(l.life, l.used, now)
	}
}

// begun is a link that begins.
type begun struct {
	*used
	life context.Context
}

// replace replaces the links, and returns those that are new.
func (n *Network) replace(ctx context.Context, list []Link) (fresh []begun) {
	n.mu.Lock()
	if n.closed {
		n.mu.Unlock()
		return nil
	}
	before := n.links
	n.links = make([]*used, len(list))
	n.sets++
	for i, l := range list {
		if k := slices.IndexFunc(before, func(u *used) bool { return u.Link == l }); k >= 0 {
			n.links[i] = before[k]
			continue
		}
		life, stop := context.WithCancel(ctx)
		n.links[i] = &used{Link: l, stop: stop}
		fresh = append(fresh, begun{n.links[i], life})
	}
	gone := slices.DeleteFunc(slices.Clone(before), func(u *used) bool { return slices.Contains(n.links, u) })
	changed := func(w way) bool {
		to := n.where(w.address)
		is := func(u *used) bool { return u.From == w.from && u.To == to }
		return slices.ContainsFunc(gone, is) || slices.ContainsFunc(fresh, func(b begun) bool { return is(b.used) })
	}
	ends := n.endChanged(before, changed)
	n.mu.Unlock()
	for _, u := range gone {
		u.stop()
	}
	for _, end := range ends {
		end()
	}
	return fresh
}

// endChanged takes the proxies and connections of ways that have changed out, and returns what ends them. What a proxy holds back for a link it lets go
// first: a goroutine of it would wait for ever to pass that on to a connection that is closed.
func (n *Network) endChanged(before []*used, changed func(way) bool) (ends []func()) {
	for w, p := range n.proxies {
		if !changed(w) {
			continue
		}
		delete(n.proxies, w)
		to := n.where(w.address)
		ends = append(ends, func() {
			for _, l := range before {
				if l.From == w.from && l.To == to {
					l.calm(p)
				}
			}
			p.Stop()
		})
	}
	for p, w := range n.plain {
		if changed(w) {
			ends = append(ends, func() { _ = p.Close() }) // whoever uses it finds it closed
		}
	}
	return ends
}
