// Package brokertest has what tests in virtual time need around a broker.
package brokertest

import (
	"net"
	"strconv"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kfake"
)

// firstFreePort is the first port that a Network gives out, above the fixed ones of the services.
const firstFreePort = 20001

// Network is a network in memory, for synctest. It gives out free ports, where kfake's own network takes fixed ones only.
type Network struct {
	kfake.VirtualNetwork

	mu    sync.Mutex
	given int
}

// Listen listens on a host:port of the network; port 0 takes a free one.
func (n *Network) Listen(network, address string) (net.Listener, error) {
	if host, free := strings.CutSuffix(address, ":0"); free {
		n.mu.Lock()
		address = net.JoinHostPort(host, strconv.Itoa(firstFreePort+n.given))
		n.given++
		n.mu.Unlock()
	}
	return n.VirtualNetwork.Listen(network, address)
}
