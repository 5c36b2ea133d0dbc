-- What a store holds, version 1. Names are those of the Go package that reads and writes it.

create table meta (
	name  text primary key,
	value text not null
);

-- Each process that opens the store takes the next number.
create sequence holders as integer;

create table units (
	place   bigint primary key, -- the transaction that added it: units are listed in the order of their commits
	id      text not null unique,
	run     text not null,
	form    text not null,
	key     bytea,
	final   boolean not null,
	holder  bigint not null,
	since   timestamptz not null,
	written bigint not null, -- drawn with each write: whoever changes a unit knows whether another one came first
	unit    json not null
);
create index units_by_run on units (run, place);
create index units_pending on units (place) where not final;
create index units_final on units (place) where final;

create table keys (
	key     bytea primary key,
	unit    text not null,
	request bytea not null,
	since   timestamptz not null,
	answer  bytea
);

-- A sum is spread over several buckets, so that units that end at the same time do not wait for each other.
create table sums (
	run    text not null,
	form   text not null,
	name   text not null,
	bucket smallint not null,
	n      bigint not null,
	since  timestamptz not null default clock_timestamp(),
	primary key (run, form, name, bucket)
);

create table effects (
	key      bytea primary key,
	place    bigint generated always as identity,
	handling bigint not null
);
create index effects_by_age on effects (place);

create table outbox (
	id      bigint generated always as identity primary key,
	holder  bigint not null,
	key     text not null,
	carrier text not null,
	topic   text not null,
	value   bytea not null,
	headers json not null,
	since   timestamptz not null
);
create index outbox_by_holder on outbox (holder, id);
