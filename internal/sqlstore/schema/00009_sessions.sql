-- Who is signed in in a browser, or about to be.

-- +goose Up

CREATE TABLE foyer_sessions (
	hash      BYTEA  NOT NULL PRIMARY KEY,
	user_id   TEXT   NOT NULL,
	level     TEXT   NOT NULL,
	auth_time BIGINT NOT NULL,
	created   BIGINT NOT NULL,
	used      BIGINT NOT NULL,
	challenge TEXT   NOT NULL,
	email     TEXT   NOT NULL,
	digits    BIGINT NOT NULL,
	key_id    TEXT   NOT NULL,
	muted     BIGINT NOT NULL,
	attempts  BIGINT NOT NULL,
	asked     BIGINT NOT NULL,
	expires   BIGINT NOT NULL
);
CREATE INDEX foyer_sessions_challenge ON foyer_sessions (challenge) WHERE challenge <> '';
CREATE INDEX foyer_sessions_expires ON foyer_sessions (expires) WHERE expires <> 0;
