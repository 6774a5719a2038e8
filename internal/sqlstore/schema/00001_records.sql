-- One text serves SQLite and PostgreSQL, so a column is added once and both
-- engines are tested against the same tables. The price is SQLite's STRICT: the
-- types are checked by the Go code alone, which is the only one that writes.
--
-- The names begin with foyer_ because an application may keep its own tables in
-- the same database. Instants are microseconds since 1970, and 0 is never. Lists
-- are words joined by spaces. The indexes on expires serve the clearing away.

-- +goose Up

CREATE TABLE foyer_clients (
	id            TEXT   NOT NULL PRIMARY KEY,
	name          TEXT   NOT NULL,
	redirect_uris TEXT   NOT NULL, -- words
	digest        BYTEA  NOT NULL UNIQUE, -- SHA-256 of the metadata
	created       BIGINT NOT NULL,
	last_used     BIGINT NOT NULL,
	expires       BIGINT NOT NULL
);
CREATE INDEX foyer_clients_expires ON foyer_clients (expires) WHERE expires <> 0;

CREATE TABLE foyer_users (
	id      TEXT   NOT NULL PRIMARY KEY,
	email   TEXT   NOT NULL UNIQUE, -- normalised
	created BIGINT NOT NULL
);

CREATE TABLE foyer_grants (
	id            TEXT   NOT NULL PRIMARY KEY,
	client_id     TEXT   NOT NULL,
	redirect_host TEXT   NOT NULL,
	resource      TEXT   NOT NULL,
	guest_id      TEXT   NOT NULL,
	user_id       TEXT   NOT NULL, -- empty while unclaimed, so no foreign key
	known_user_id TEXT   NOT NULL,
	epoch         BIGINT NOT NULL,
	level         TEXT   NOT NULL,
	auth_time     BIGINT NOT NULL, -- instant
	scopes        TEXT   NOT NULL, -- words
	approved_by   TEXT   NOT NULL,
	generation    BIGINT NOT NULL,
	created       BIGINT NOT NULL,
	revoked_at    BIGINT NOT NULL, -- instant
	expires       BIGINT NOT NULL
);
CREATE INDEX foyer_grants_expires ON foyer_grants (expires) WHERE expires <> 0;

CREATE TABLE foyer_tokens (
	hash       BYTEA  NOT NULL PRIMARY KEY, -- SHA-256 of the token
	kind       TEXT   NOT NULL, -- access or refresh
	grant_id   TEXT   NOT NULL REFERENCES foyer_grants (id),
	epoch      BIGINT NOT NULL,
	generation BIGINT NOT NULL,
	used_at    BIGINT NOT NULL, -- instant
	expires    BIGINT NOT NULL,
	UNIQUE (grant_id, kind, generation)
);
CREATE INDEX foyer_tokens_expires ON foyer_tokens (expires) WHERE expires <> 0;

CREATE TABLE foyer_redemptions (
	code_id  TEXT   NOT NULL PRIMARY KEY,
	grant_id TEXT   NOT NULL, -- may be gone: the redemption has its own end
	expires  BIGINT NOT NULL
);
CREATE INDEX foyer_redemptions_expires ON foyer_redemptions (expires) WHERE expires <> 0;

CREATE TABLE foyer_challenges (
	id       TEXT     NOT NULL PRIMARY KEY,
	grant_id TEXT     NOT NULL REFERENCES foyer_grants (id),
	epoch    BIGINT   NOT NULL,
	email    TEXT     NOT NULL,
	digits   BIGINT   NOT NULL, -- how many
	key_id   TEXT     NOT NULL,
	muted    SMALLINT NOT NULL, -- 0 or 1
	attempts BIGINT   NOT NULL,
	state    TEXT     NOT NULL,
	created  BIGINT   NOT NULL,
	expires  BIGINT   NOT NULL,
	place    BIGINT   NOT NULL  -- among the challenges of its grant, in the order of their first put
);
CREATE INDEX foyer_challenges_newest ON foyer_challenges (grant_id, place);
CREATE INDEX foyer_challenges_expires ON foyer_challenges (expires) WHERE expires <> 0;

CREATE TABLE foyer_counters (
	id      TEXT   NOT NULL PRIMARY KEY,
	total   BIGINT NOT NULL,
	events  TEXT   NOT NULL, -- the first as an instant, each other as its distance from the one before
	labels  TEXT   NOT NULL, -- words
	expires BIGINT NOT NULL
);
CREATE INDEX foyer_counters_expires ON foyer_counters (expires) WHERE expires <> 0;

CREATE TABLE foyer_browsers (
	hash      BYTEA  NOT NULL, -- SHA-256 of the cookie's value
	client_id TEXT   NOT NULL,
	grant_id  TEXT   NOT NULL, -- may be gone
	expires   BIGINT NOT NULL,
	PRIMARY KEY (hash, client_id)
);
CREATE INDEX foyer_browsers_expires ON foyer_browsers (expires) WHERE expires <> 0;

CREATE TABLE foyer_outgoing (
	id       TEXT   NOT NULL PRIMARY KEY,
	kind     TEXT   NOT NULL,
	subject  TEXT   NOT NULL, -- the ID of a challenge or a grant, never the words of the mail
	attempts BIGINT NOT NULL,
	due      BIGINT NOT NULL, -- instant
	created  BIGINT NOT NULL,
	expires  BIGINT NOT NULL
);
CREATE INDEX foyer_outgoing_due ON foyer_outgoing (due);
CREATE INDEX foyer_outgoing_expires ON foyer_outgoing (expires) WHERE expires <> 0;
