package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/time/rate"
)

// Postgres keeps everything in a PostgreSQL. Several processes may have it open at the same time.
type Postgres struct {
	pool   *pgxpool.Pool
	name   string // in words
	id     string
	limits Limits
	holder uint64
	log    *slog.Logger

	life    context.Context // ends with Close
	kill    context.CancelFunc
	alive   sync.WaitGroup // the goroutine that holds the lock
	trouble rate.Sometimes // limits log lines about a server that does not answer

	room    room
	noted   atomic.Int64 // effects since old ones were removed
	trimmed sync.Mutex   // held while old effects are removed
	boxed   atomic.Int64 // messages of this process in the outbox
}

const (
	mostConnections = 16              // of a pool, unless the URL says pool_max_conns
	connectTimeout  = 2 * time.Second // for one connection
	attemptTimeout  = 5 * time.Second // for one statement
	firstBackoff    = 10 * time.Millisecond
	lastBackoff     = 500 * time.Millisecond
	logInterval     = 10 * time.Second // between log lines about a server that does not answer
	sumBuckets      = 16
	defaultSchema   = "tracelab" // unless the URL says search_path
)

// PostgresConfig says which server it is, and how it is reached.
type PostgresConfig struct {
	URL    string // postgres://USER:PASSWORD@HOST:PORT/DATABASE
	Dial   func(ctx context.Context, network, address string) (net.Conn, error)
	Limits Limits
	Logger *slog.Logger // nil: nothing is logged
}

// CheckURL finds an address that cannot be one.
func CheckURL(url string) error {
	if _, err := pgxpool.ParseConfig(url); err != nil {
		return fmt.Errorf("store: %w", err) // pgx leaves the password out
	}
	return nil
}

// OpenPostgres connects, brings the tables up to date, and takes a holder's number. It tries until ctx ends.
func OpenPostgres(ctx context.Context, c PostgresConfig) (*Postgres, error) {
	config, err := pgxpool.ParseConfig(c.URL)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err) // pgx leaves the password out
	}
	address := config.ConnConfig
	p := &Postgres{name: fmt.Sprintf("PostgreSQL at %s/%s", net.JoinHostPort(address.Host, strconv.Itoa(int(address.Port))), address.Database),
		limits: c.Limits.atLeastOne(), log: c.Logger, trouble: rate.Sometimes{First: 1, Interval: logInterval}}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	p.room.every = max(1, p.limits.Units/100)
	if !strings.Contains(c.URL, "pool_max_conns") {
		config.MaxConns = mostConnections
	}
	address.ConnectTimeout = connectTimeout
	if c.Dial != nil {
		address.DialFunc = c.Dial
	}
	address.Tracer = queryTracer()
	schema := address.RuntimeParams["search_path"]
	if schema == "" {
		schema = defaultSchema
		address.RuntimeParams["search_path"] = schema
	}
	p.life, p.kill = context.WithCancel(context.WithoutCancel(ctx))
	if p.pool, err = pgxpool.NewWithConfig(p.life, config); err != nil {
		p.kill()
		return nil, p.named(err)
	}
	if err := p.open(ctx, schema); err != nil {
		if transient(err) || ctx.Err() != nil {
			err = fmt.Errorf("%w: start it (task postgres), or name another with --store", err)
		}
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// open makes the store ready.
func (p *Postgres) open(ctx context.Context, schema string) error {
	if err := p.retry(ctx, func(ctx context.Context) error { return p.migrate(ctx, schema) }); err != nil {
		return err
	}
	var version string
	err := p.retry(ctx, func(ctx context.Context) error {
		return p.pool.QueryRow(ctx, `select current_setting('server_version'), (select value from meta where name = 'id'), nextval('holders')`).Scan(&version, &p.id, &p.holder)
	})
	if err != nil {
		return err
	}
	version, _, _ = strings.Cut(version, " ")
	p.name = strings.Replace(p.name, "PostgreSQL", "PostgreSQL "+version, 1)
	if err := p.forgetRuns(ctx); err != nil {
		return err
	}
	held := make(chan error, 1)
	p.alive.Go(func() { p.holdLock(held) })
	select {
	case err = <-held:
		return err
	case <-ctx.Done():
		return p.named(context.Cause(ctx))
	}
}

// About tells what the store is.
func (p *Postgres) About() About {
	return About{ID: p.id, Name: p.name, Durable: true, Shared: true, Holder: p.holder}
}

// Close gives up what waits and ends all connections.
func (p *Postgres) Close() error {
	p.kill()
	p.alive.Wait()
	p.pool.Close()
	return nil
}

// retry does something until it is done, fails for good, or the context or the store ends: the server may be restarting. What it tells then is why the last
// attempt failed that had its time: one that the end cut short says less.
func (p *Postgres) retry(ctx context.Context, do func(context.Context) error) error {
	var last error
	for backoff := firstBackoff; ; backoff = min(2*backoff, lastBackoff) {
		err := p.attempt(ctx, do)
		if err == nil || !transient(err) && ctx.Err() == nil {
			return p.named(err)
		}
		if last == nil || ctx.Err() == nil {
			last = err
		}
		p.trouble.Do(func() {
			p.log.WarnContext(ctx, "the store does not answer; trying again", "store", p.name, "error", err)
		})
		select {
		case <-time.After(backoff):
		case <-ctx.Done():
			return p.named(fmt.Errorf("%w: %w", context.Cause(ctx), last))
		case <-p.life.Done():
			return p.named(fmt.Errorf("closed: %w", last))
		}
	}
}

// attempt does something once, in bounded time.
func (p *Postgres) attempt(ctx context.Context, do func(context.Context) error) error {
	if p.life.Err() != nil {
		return errors.New("closed")
	}
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	defer context.AfterFunc(p.life, cancel)()
	return do(ctx)
}

// named says which store an error is of. The errors that callers tell apart need no such words.
func (p *Postgres) named(err error) error {
	for _, known := range []error{nil, ErrFull, ErrOutboxFull, ErrUnknown, ErrNotReserved} {
		if errors.Is(err, known) {
			return err
		}
	}
	return fmt.Errorf("store %s: %w", p.name, withRemedy(oneLine{err}))
}

// exec runs a statement.
func (p *Postgres) exec(ctx context.Context, sql string, args ...any) (rows int64, err error) {
	err = p.retry(ctx, func(ctx context.Context) error {
		tag, err := p.pool.Exec(ctx, sql, args...)
		rows = tag.RowsAffected()
		return err
	})
	return rows, err
}

// row runs a statement that returns one row. It returns pgx.ErrNoRows when there is none.
func (p *Postgres) row(ctx context.Context, sql string, args []any, into ...any) error {
	var none bool
	err := p.retry(ctx, func(ctx context.Context) error {
		err := p.pool.QueryRow(ctx, sql, args...).Scan(into...)
		if none = errors.Is(err, pgx.ErrNoRows); none {
			return nil
		}
		return err
	})
	if err == nil && none {
		return pgx.ErrNoRows
	}
	return err
}

// text is what PostgreSQL takes as text.
func text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
