package testmain

import "go.uber.org/goleak"

// Hops is for packages whose tests disturb hops between services: the proxy of such a hop (toxiproxy) leaves a goroutine behind, until the process ends, when a
// connection breaks while it has something to pass on. Nothing from outside can end it.
func Hops() goleak.Option {
	return goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*NoopToxic).Pipe")
}
