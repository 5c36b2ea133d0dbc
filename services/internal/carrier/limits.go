package carrier

import "time"

// Limits of every server and client of a lab. An order is small, and so is its body.
const (
	MaxBody       = 64 << 10         // bytes of a request, of its headers, and of a message
	HeaderTimeout = 2 * time.Second  // from a connection's first byte to the end of its headers
	ReadTimeout   = 5 * time.Second  // of a whole request
	WriteTimeout  = 5 * time.Minute  // from a request's headers to the end of its answer: longer than any step hangs
	IdleTimeout   = 60 * time.Second // of a connection between requests
)
