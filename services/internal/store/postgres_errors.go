package store

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// transient tells whether the same may work later: the server is away or shutting down, has no connection left, or has ended a
// deadlock. Whether the statement was done is then not known.
func transient(err error) bool {
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok {
		return strings.HasPrefix(refused.Code, "08") || // connection
			slices.Contains([]string{"57P01", "57P02", "57P03", "53300", "40001", "40P01"}, refused.Code)
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return false
	}
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	_, network := errors.AsType[net.Error](err)
	return connecting || network || pgconn.SafeToRetry(err) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}

// oneLine is an error of pgx, which has a line for each address that it tried, on one line.
type oneLine struct{ error }

// Error writes the lines behind each other.
func (e oneLine) Error() string { return strings.Join(strings.Fields(e.error.Error()), " ") }

// Unwrap returns the error inside.
func (e oneLine) Unwrap() error { return e.error }
