package store

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// room is what a process knows of the number of units, without counting them for each one.
type room struct {
	every int // units that are added between two counts

	mu      sync.Mutex
	added   int // since the last count; as many as every: count again
	full    bool
	counted time.Time
}

// countPause is the least time between two counts while there is no room, where counting takes long.
const countPause = 100 * time.Millisecond

// Room tells whether a unit can be added.
func (p *Postgres) Room(ctx context.Context) error { return p.makeRoom(ctx, false) }

// makeRoom forgets old units when there is no room for another one, or returns ErrFull.
func (p *Postgres) makeRoom(ctx context.Context, adding bool) error {
	r := &p.room
	r.mu.Lock()
	defer r.mu.Unlock()
	due := r.counted.IsZero() || r.added >= r.every || r.full && (r.every == 1 || time.Since(r.counted) > countPause)
	if due {
		there, err := p.forget(untraced(ctx))
		if err != nil {
			return err
		}
		r.added, r.full, r.counted = 0, there >= p.limits.Units, time.Now()
	}
	if r.full {
		return ErrFull
	}
	if adding {
		r.added++
	}
	return nil
}

// forgetUnits removes the oldest units of a kind, frees their keys and counts them.
func forgetUnits(which string) string {
	return `-- DELETE units
with old as (select place from units where ` + which + ` order by place limit $1 for update skip locked),
gone as (delete from units where place in (select place from old) returning run, form, key),
freed as (delete from keys where key in (select key from gone)),
counted as (
	insert into sums (run, form, name, bucket, n) select run, form, '` + SumForgotten + `', 0, count(*) from gone group by run, form order by run, form
	on conflict (run, form, name, bucket) do update set n = sums.n + excluded.n)
select count(*) from gone`
}

// forget makes room for as many units as are added until the next count, if it can: the oldest final ones are forgotten, then those that have been
// pending for long. It returns how many are left.
func (p *Postgres) forget(ctx context.Context) (there int, err error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	if err := p.row(ctx, `-- SELECT units
select count(*) from units`, nil, &there); err != nil {
		return 0, err
	}
	var gone int
	if excess := there + p.room.every - p.limits.Units; excess > 0 {
		if err := p.row(ctx, forgetUnits("final"), []any{excess}, &gone); err != nil {
			return 0, err
		}
		there -= gone
	}
	if excess := there + 1 - p.limits.Units; excess > 0 {
		if err := p.row(ctx, forgetUnits("not final and since <= $2"), []any{excess, time.Now().Add(-PendingFor)}, &gone); err != nil {
			return 0, err
		}
		there -= gone
	}
	return there, nil
}

// forgetRuns removes the sums of the oldest runs.
func (p *Postgres) forgetRuns(ctx context.Context) error {
	_, err := p.exec(ctx, `delete from sums where run in (select run from sums group by run order by max(since) desc, run offset $1)`, MostRuns)
	return err
}

// Count adds to the sums of a form.
func (p *Postgres) Count(ctx context.Context, run, form string, sums Sums) error {
	_, err := p.exec(ctx, `-- INSERT sums
with changed as (select 1), `+counted+` select count(*) from changed`, countArgs(run, form, "", sums)...)
	return err
}

// Sums returns the sums of a run.
func (p *Postgres) Sums(ctx context.Context, run string) (forms map[string]Sums, err error) {
	err = p.retry(ctx, func(ctx context.Context) error {
		forms = map[string]Sums{}
		rows, err := p.pool.Query(ctx, `-- SELECT sums
select form, name, sum(n)::bigint from sums where run = $1 group by form, name`, text(run))
		if err != nil {
			return err
		}
		var form, name string
		var n int64
		_, err = pgx.ForEachRow(rows, []any{&form, &name, &n}, func() error {
			if forms[form] == nil {
				forms[form] = Sums{}
			}
			if n != 0 {
				forms[form][name] = n
			}
			return nil
		})
		return err
	})
	return forms, err
}
