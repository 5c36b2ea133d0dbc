package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"
)

// boxed puts messages into the outbox in a statement that has changed a unit: $13 is the holder, $14 to $19 are the messages' columns.
const boxed = `boxed as (
	insert into outbox (holder, key, carrier, topic, value, headers, since)
	select $13::bigint, key, carrier, topic, value, headers::json, since
	from unnest($14::text[], $15::text[], $16::text[], $17::bytea[], $18::text[], $19::timestamptz[]) with ordinality as m (key, carrier, topic, value, headers, since, n)
	where exists (select from changed) order by n)`

// boxArgs are the columns of messages.
func boxArgs(messages []Message) ([]any, error) {
	n := len(messages)
	keys, carriers, topics, headers := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	values, times := make([][]byte, n), make([]time.Time, n)
	for i, m := range messages {
		encoded, err := json.Marshal(m.Headers)
		if err != nil {
			return nil, err
		}
		keys[i], carriers[i], topics[i], headers[i], values[i], times[i] = text(m.Key), text(m.Carrier), text(m.Topic), string(encoded), m.Value, m.Since
		if m.Value == nil {
			values[i] = []byte{}
		}
	}
	return []any{keys, carriers, topics, values, headers, times}, nil
}

// boxRoom tells whether the outbox takes so many messages.
func (p *Postgres) boxRoom(messages int) error {
	if messages > 0 && p.boxed.Load()+int64(messages) > int64(p.limits.Messages) {
		return ErrOutboxFull
	}
	return nil
}

// Enqueue puts messages into the outbox.
func (p *Postgres) Enqueue(ctx context.Context, messages ...Message) error {
	if err := p.boxRoom(len(messages)); err != nil {
		return err
	}
	args, err := boxArgs(messages)
	if err != nil {
		return err
	}
	_, err = p.exec(ctx, `-- INSERT outbox
insert into outbox (holder, key, carrier, topic, value, headers, since)
select $1::bigint, key, carrier, topic, value, headers::json, since
from unnest($2::text[], $3::text[], $4::text[], $5::bytea[], $6::text[], $7::timestamptz[]) with ordinality as m (key, carrier, topic, value, headers, since, n) order by n`,
		append([]any{int64(p.holder)}, args...)...)
	if err == nil {
		p.boxed.Add(int64(len(messages)))
	}
	return err
}

// Waiting returns the oldest of this process's messages.
func (p *Postgres) Waiting(ctx context.Context, limit int) (messages []Message, err error) {
	err = p.retry(ctx, func(ctx context.Context) error {
		messages = nil
		rows, err := p.pool.Query(ctx, `-- SELECT outbox
select id, key, carrier, topic, value, headers, since from outbox where holder = $1 order by id limit $2`, int64(p.holder), limit)
		if err != nil {
			return err
		}
		var id int64
		var m Message
		var headers []byte
		_, err = pgx.ForEachRow(rows, []any{&id, &m.Key, &m.Carrier, &m.Topic, &m.Value, &headers, &m.Since}, func() error {
			one := m
			one.ID, one.Value, one.Headers = uint64(id), append([]byte(nil), m.Value...), nil
			messages = append(messages, one)
			return json.Unmarshal(headers, &messages[len(messages)-1].Headers)
		})
		return err
	})
	return messages, err
}

// Remove removes messages.
func (p *Postgres) Remove(ctx context.Context, ids ...uint64) error {
	numbers := make([]int64, len(ids))
	for i, id := range ids {
		numbers[i] = int64(id)
	}
	removed, err := p.exec(ctx, `-- DELETE outbox
delete from outbox where id = any($1)`, numbers)
	p.boxed.Add(-removed)
	return err
}

// Adopt takes over the messages of processes that are gone.
func (p *Postgres) Adopt(ctx context.Context) (int, error) {
	adopted, err := p.exec(ctx, `-- UPDATE outbox
update outbox set holder = $2 where holder <> $2 and holder not in `+living, int64(holderLocks), int64(p.holder))
	p.boxed.Add(adopted)
	return int(adopted), err
}

// Backlog counts the messages of all processes.
func (p *Postgres) Backlog(ctx context.Context) (n int, err error) {
	err = p.row(ctx, `-- SELECT outbox
select count(*) from outbox`, nil, &n)
	return n, err
}
