-- What a client that is known by its metadata document says about itself. A
-- client that registered has none.

-- +goose Up

ALTER TABLE foyer_clients ADD COLUMN document BYTEA NOT NULL DEFAULT '';
ALTER TABLE foyer_clients ADD COLUMN fresh BIGINT NOT NULL DEFAULT 0; -- instant
