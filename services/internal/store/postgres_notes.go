package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
)

const findEffect = `-- SELECT effects
select handling from effects where key = $1`

// Find returns the handling that had the effect.
func (p *Postgres) Find(ctx context.Context, unit, step string) (uint64, error) {
	key := noteKeyOf(unit, step)
	var handling int64
	err := p.row(ctx, findEffect, []any{key[:]}, &handling)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	return uint64(handling), err
}

const putEffect = `-- INSERT effects
with noted as (insert into effects (key, handling) values ($1, $2) on conflict (key) do nothing returning handling)
select handling from noted union all select handling from effects where key = $1`

// Put notes the handling that had the effect, unless another one had it.
func (p *Postgres) Put(ctx context.Context, unit, step string, handling uint64) (uint64, error) {
	key := noteKeyOf(unit, step)
	var stands int64
	err := p.row(ctx, putEffect, []any{key[:], int64(handling)}, &stands)
	if errors.Is(err, pgx.ErrNoRows) { // another one came while the statement ran, which it does not see
		err = p.row(ctx, findEffect, []any{key[:]}, &stands)
	}
	if err != nil {
		return 0, p.named(err)
	}
	if p.noted.Add(1) >= int64(max(1, p.limits.Effects/10)) && p.trimmed.TryLock() {
		defer p.trimmed.Unlock()
		p.noted.Store(0)
		_, err = p.exec(untraced(ctx), `-- DELETE effects
delete from effects where place < (select place from effects order by place desc offset $1 limit 1)`, p.limits.Effects+p.limits.Effects/2)
	}
	return uint64(stands), err
}
