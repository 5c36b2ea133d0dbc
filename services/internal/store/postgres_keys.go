package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
)

// Reserve reserves a key.
func (p *Postgres) Reserve(ctx context.Context, r Reservation) (held Reservation, taken bool, err error) {
	inserted, err := p.exec(ctx, `-- INSERT keys
insert into keys (key, unit, request, since) values ($1, $2, $3, $4) on conflict (key) do nothing`, r.Key[:], r.Unit, r.Request[:], r.Since)
	if err != nil || inserted == 1 {
		return r, err == nil, err
	}
	held.Key = r.Key
	var request []byte
	err = p.row(ctx, `-- SELECT keys
select unit, request, since, answer from keys where key = $1`, []any{r.Key[:]}, &held.Unit, &request, &held.Since, &held.Answer)
	if errors.Is(err, pgx.ErrNoRows) { // released meanwhile
		return p.Reserve(ctx, r)
	}
	copy(held.Request[:], request)
	return held, err == nil && held.Unit == r.Unit && held.Answer == nil, err // its own: the insert's answer was lost
}

// Release frees a key.
func (p *Postgres) Release(ctx context.Context, key Key, unit string) error {
	_, err := p.exec(ctx, `-- DELETE keys
delete from keys where key = $1 and unit = $2`, key[:], unit)
	return err
}

// Answer keeps the answer to a key.
func (p *Postgres) Answer(ctx context.Context, key Key, unit string, answer []byte) error {
	_, err := p.exec(ctx, `-- UPDATE keys
update keys set answer = $3 where key = $1 and unit = $2`, key[:], unit, answer)
	return err
}
