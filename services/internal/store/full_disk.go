package store

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
)

// diskFull is PostgreSQL's code for a disk without room.
const diskFull = "53100"

// withRemedy adds the way out to an error that says that a disk has no room, the user's quota is used up, or a file may not grow any more.
func withRemedy(err error) error {
	refused, ok := errors.AsType[*pgconn.PgError](err)
	full := ok && refused.Code == diskFull
	for _, sign := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		full = full || strings.Contains(err.Error(), sign.Error()) // bbolt wraps some of them by their texts alone
	}
	if !full {
		return err
	}
	return fmt.Errorf("%w: make room on the disk of the store; what waits for it goes on by itself then", err)
}
