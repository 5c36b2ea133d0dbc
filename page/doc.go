// Package page is the web page over a lab that stays up: it places units, changes what they meet, and shows what comes of it. Pages are made by the
// server and work without script, but for their live parts, which come as server-sent events.
package page
