package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// counted adds sums in a statement that has changed a unit: $1 to $4 are the run, the form, the bucket and the names, $5 the numbers. Names are
// sorted, so that two statements never wait for each other in a circle.
const counted = `counted as (
	insert into sums (run, form, name, bucket, n)
	select $1::text, $2::text, name, $3::smallint, n from unnest($4::text[], $5::bigint[]) as s (name, n) where exists (select from changed) order by name
	on conflict (run, form, name, bucket) do update set n = sums.n + excluded.n)`

// countArgs are the first arguments of a statement with counted.
func countArgs(run, form, unit string, sums Sums) []any {
	names := slices.Sorted(maps.Keys(sums))
	numbers := make([]int64, len(names))
	for i, name := range names {
		numbers[i] = sums[name]
		names[i] = text(name)
	}
	h := fnv.New32a()
	// Writing to a hash never fails.
	_, _ = h.Write([]byte(unit))
	return []any{text(run), text(form), int16(h.Sum32() % sumBuckets), names, numbers}
}

const createUnit = `-- INSERT units
with changed as (
	insert into units (place, id, run, form, key, final, holder, since, written, unit)
	select txid_current(), $6::text, $1::text, $2::text, $7::bytea, $8::boolean, $9::bigint, $10::timestamptz, $11::bigint, $12::json
	where $7::bytea is null or exists (select from keys where key = $7 and unit = $6)
	on conflict (id) do nothing
	returning place),
` + counted + `, ` + boxed + `
select coalesce((select place from changed), 0)`

// Create adds a unit with its messages, in one statement.
func (p *Postgres) Create(ctx context.Context, u *Unit, sums Sums, messages ...Message) error {
	if err := p.boxRoom(len(messages)); err != nil {
		return err
	}
	if err := p.makeRoom(ctx, true); err != nil {
		return err
	}
	value, err := json.Marshal(u)
	if err != nil {
		return err
	}
	var key []byte
	if u.Key != (Key{}) {
		key = u.Key[:]
	}
	box, err := boxArgs(messages)
	if err != nil {
		return err
	}
	written := rand.Int64()
	args := append(countArgs(u.Run, u.Form, u.ID, sums), u.ID, key, u.Final, int64(u.Holder), u.Since, written, string(value), int64(p.holder))
	var place int64
	if err := p.row(ctx, createUnit, append(args, box...), &place); err != nil {
		return err
	}
	if place == 0 { // its key is not reserved, or the answer of an earlier attempt was lost
		var by int64
		err := p.row(ctx, `-- SELECT units
select place, written from units where id = $1`, []any{u.ID}, &place, &by)
		if errors.Is(err, pgx.ErrNoRows) || err == nil && by != written {
			return ErrNotReserved
		}
		if err != nil {
			return err
		}
	}
	p.boxed.Add(int64(len(messages)))
	u.Place = uint64(place)
	return nil
}

const selectUnit = `-- SELECT units
select place, written, holder, unit from units where id = $1`

const updateUnit = `-- UPDATE units
with changed as (
	update units set final = $8, holder = $9, written = $10, unit = $11 where id = $6 and written = $7 returning place),
` + counted + `
select count(*) from changed`

// Update changes a unit: it reads the unit and writes it if nobody has written it meanwhile, until that is so.
func (p *Postgres) Update(ctx context.Context, id string, change func(*Unit) (Sums, bool)) error {
	var mine int64 // what the last attempt has written, if it has
	for {
		u, written, err := p.find(ctx, id)
		if err != nil {
			return err
		}
		if mine != 0 && written == mine { // it had, and its answer was lost
			return nil
		}
		sums, modified := change(u)
		if !modified && len(sums) == 0 {
			return nil
		}
		value, err := json.Marshal(u)
		if err != nil {
			return err
		}
		mine = rand.Int64N(1<<62) + 1
		args := append(countArgs(u.Run, u.Form, id, sums), text(id), written, u.Final, int64(u.Holder), mine, string(value))
		var changed int
		if err := p.row(ctx, updateUnit, args, &changed); err != nil {
			return err
		}
		if changed == 1 {
			return nil
		}
	}
}

// find reads a unit, and what was drawn when it was written.
func (p *Postgres) find(ctx context.Context, id string) (u *Unit, written int64, err error) {
	var place, holder int64
	var value []byte
	err = p.row(ctx, selectUnit, []any{text(id)}, &place, &written, &holder, &value)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, 0, ErrUnknown
	}
	if err != nil {
		return nil, 0, err
	}
	if u, err = decodeUnit(place, value); err != nil {
		return nil, 0, err
	}
	u.Holder = uint64(holder) // it may have been disowned since the unit was written
	return u, written, nil
}

func decodeUnit(place int64, value []byte) (*Unit, error) {
	u := &Unit{}
	if err := json.Unmarshal(value, u); err != nil {
		return nil, fmt.Errorf("unit %d: %w", place, err)
	}
	u.Place = uint64(place)
	return u, nil
}

// Get returns a unit.
func (p *Postgres) Get(ctx context.Context, id string) (*Unit, error) {
	u, _, err := p.find(ctx, id)
	return u, err
}

// Page lists a run's units. One that was added by a transaction which is younger than one that goes on is not listed yet: units that come later
// must be behind those that are listed.
func (p *Postgres) Page(ctx context.Context, run string, after uint64, limit int) (units []*Unit, next uint64, err error) {
	err = p.retry(ctx, func(ctx context.Context) error {
		units, next = nil, 0
		rows, err := p.pool.Query(ctx, `-- SELECT units
select place, unit from units where run = $1 and place > $2 and place < txid_snapshot_xmin(txid_current_snapshot()) order by place limit $3`, text(run), int64(after), limit+1)
		if err != nil {
			return err
		}
		var place int64
		var value []byte
		_, err = pgx.ForEachRow(rows, []any{&place, &value}, func() error {
			if len(units) == limit {
				next = units[limit-1].Place
				return nil
			}
			u, err := decodeUnit(place, value)
			units = append(units, u)
			return err
		})
		return err
	})
	return units, next, err
}

// Pending counts the units since a time that are not final.
func (p *Postgres) Pending(ctx context.Context, since time.Time) (n int, err error) {
	err = p.row(ctx, `-- SELECT units
select count(*) from units where not final and since >= $1`, []any{since}, &n)
	return n, err
}

// Disown says that nobody goes on with the units that this process held.
func (p *Postgres) Disown(ctx context.Context) error {
	_, err := p.exec(ctx, `-- UPDATE units
update units set holder = $2, written = written + 1 where not final and holder = $1`, int64(p.holder), int64(gone))
	return err
}

// Lost counts the units of a run whose holder is gone.
func (p *Postgres) Lost(ctx context.Context, run string) (lost map[string]int, err error) {
	err = p.retry(ctx, func(ctx context.Context) error {
		lost = map[string]int{}
		rows, err := p.pool.Query(ctx, `-- SELECT units
select form, count(*) from units where not final and holder <> 0 and run = $2 and holder not in `+living+` group by form`, int64(holderLocks), text(run))
		if err != nil {
			return err
		}
		var form string
		var n int
		_, err = pgx.ForEachRow(rows, []any{&form, &n}, func() error { lost[form] = n; return nil })
		return err
	})
	return lost, err
}
