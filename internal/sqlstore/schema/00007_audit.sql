-- What happened. Events are put without a place in their chain, which the sealer
-- gives them afterwards, one after the other.

-- +goose Up

CREATE TABLE foyer_events (
	id        TEXT   NOT NULL PRIMARY KEY, -- begins with the moment: what is new stands together
	at        BIGINT NOT NULL, -- instant
	until     BIGINT NOT NULL, -- instant
	kind      TEXT   NOT NULL,
	request   TEXT   NOT NULL,
	grant_id  TEXT   NOT NULL, -- may be gone, as all that an event names
	client_id TEXT   NOT NULL,
	user_id   TEXT   NOT NULL,
	guest_id  TEXT   NOT NULL,
	level     TEXT   NOT NULL,
	item      TEXT   NOT NULL,
	method    TEXT   NOT NULL,
	outcome   TEXT   NOT NULL,
	reason    TEXT   NOT NULL,
	scopes    TEXT   NOT NULL, -- words
	roles     TEXT   NOT NULL, -- words
	operation TEXT   NOT NULL,
	done_by   TEXT   NOT NULL,
	whom      TEXT   NOT NULL, -- a pseudonym
	times     BIGINT NOT NULL,
	place     BIGINT NOT NULL, -- in the chain; 0 until sealed
	key_id    TEXT   NOT NULL,
	mac       BYTEA  NOT NULL
);
CREATE INDEX foyer_events_unsealed ON foyer_events (id) WHERE place = 0;
CREATE UNIQUE INDEX foyer_events_sealed ON foyer_events (place) WHERE place <> 0;

CREATE TABLE foyer_chains (
	id   TEXT  NOT NULL PRIMARY KEY,
	head BYTEA NOT NULL -- sealed
);
