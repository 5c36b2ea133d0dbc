package store

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
)

// migrations bring the tables from one version to the next, in the order of their names. What was released is never changed.
//
//go:embed migrations/*.sql
var migrations embed.FS

// Locks of PostgreSQL: one for all migrations, one for each process that has the store open.
const (
	migrationLock = 0x7472_6163_656c_6162 // "tracelab"
	holderLocks   = 0x7472_6163           // with the holder's number
)

// migrate makes the tables, or brings them up to date. One process at a time does so.
func (p *Postgres) migrate(ctx context.Context, schema string) error {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, p.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock($1)`, int64(migrationLock)); err != nil {
			return err
		}
		name := pgx.Identifier{schema}.Sanitize()
		_, err := tx.Exec(ctx, `create schema if not exists `+name+`; create table if not exists `+name+`.migrations (version integer primary key, at timestamptz not null default now())`)
		if err != nil {
			return err
		}
		var version int
		if err := tx.QueryRow(ctx, `select coalesce(max(version), 0) from migrations`).Scan(&version); err != nil {
			return err
		}
		if version > len(files) {
			return fmt.Errorf("its tables have version %d, this program knows up to %d: use a newer tracelab, or another database", version, len(files))
		}
		for i, file := range files[version:] {
			statements, err := migrations.ReadFile(file)
			if err != nil {
				return err
			}
			_, applied := tx.Exec(ctx, string(statements))
			_, noted := tx.Exec(ctx, `insert into migrations (version) values ($1)`, version+i+1)
			if err := errors.Join(applied, noted); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
		}
		_, err = tx.Exec(ctx, `insert into meta (name, value) values ('id', $1) on conflict do nothing`, newID())
		return err
	})
}
