-- What tools are to do once it is confirmed, and what became of it.

-- +goose Up

CREATE TABLE foyer_operations (
	id         TEXT PRIMARY KEY,
	grant_id   TEXT NOT NULL, -- not a key of foyer_grants: what was done outlives its grant
	epoch      BIGINT NOT NULL,
	user_id    TEXT NOT NULL,
	guest_id   TEXT NOT NULL,
	tool       TEXT NOT NULL,
	arguments  BYTEA NOT NULL,
	summary    TEXT NOT NULL,
	data       BYTEA NOT NULL,
	world      TEXT NOT NULL,
	digest     BYTEA NOT NULL,
	state      TEXT NOT NULL,
	confirmed  BIGINT NOT NULL,
	key        TEXT NOT NULL,
	fence      BIGINT NOT NULL,
	tries      BIGINT NOT NULL,
	due        BIGINT NOT NULL,
	result     BYTEA NOT NULL,
	created    BIGINT NOT NULL,
	ended      BIGINT NOT NULL,
	expires    BIGINT NOT NULL
);
CREATE INDEX foyer_operations_grant ON foyer_operations (grant_id, created);
CREATE INDEX foyer_operations_key ON foyer_operations (grant_id, key) WHERE key <> '';
CREATE INDEX foyer_operations_due ON foyer_operations (due) WHERE due <> 0;
CREATE INDEX foyer_operations_expires ON foyer_operations (expires) WHERE expires <> 0;
