package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

const lockCheck = time.Second // between two looks at the connection that holds the lock

// living are the holders whose processes are there, as a subquery: each holds a lock as long as its connection lasts.
const living = `(select objid::bigint from pg_locks where locktype = 'advisory' and classid::bigint = $1 and objsubid = 2 and granted
	and database = (select oid from pg_database where datname = current_database()))`

// holdLock keeps a connection with the lock that says that this process is there, until the store is closed. It tells once when it has the lock.
func (p *Postgres) holdLock(held chan<- error) {
	for p.life.Err() == nil {
		err := p.withLock(held)
		if p.life.Err() != nil {
			break
		}
		p.trouble.Do(func() { p.log.Warn("the store does not answer; trying again", "store", p.name, "error", err) })
		select {
		case <-time.After(lastBackoff):
		case <-p.life.Done():
		}
	}
	select {
	case held <- p.named(context.Cause(p.life)):
	default:
	}
}

// withLock takes the lock and holds it until its connection fails.
func (p *Postgres) withLock(held chan<- error) error {
	connecting, cancel := context.WithTimeout(p.life, attemptTimeout)
	defer cancel()
	config := p.pool.Config().ConnConfig
	config.Tracer = nil
	conn, err := pgx.ConnectConfig(connecting, config)
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(p.life), connectTimeout)
		defer cancel()
		// The server notices the end of a connection a little later; who opens the store then must not find the lock held.
		_, _ = conn.Exec(closing, `select pg_advisory_unlock_shared($1::integer, $2::integer)`, holderLocks, int32(p.holder))
		_ = conn.Close(closing)
	}()
	if _, err := conn.Exec(connecting, `select pg_advisory_lock_shared($1::integer, $2::integer)`, holderLocks, int32(p.holder)); err != nil {
		return err
	}
	select {
	case held <- nil:
	default: // told before
	}
	ticker := time.NewTicker(lockCheck)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			ctx, cancel := context.WithTimeout(p.life, attemptTimeout)
			err := conn.Ping(ctx)
			cancel()
			if err != nil {
				return err
			}
		case <-p.life.Done():
			return nil
		}
	}
}
