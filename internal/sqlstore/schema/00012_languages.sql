-- Languages of the people whom mails go to.

-- +goose Up

ALTER TABLE foyer_grants ADD COLUMN language TEXT NOT NULL DEFAULT '';
ALTER TABLE foyer_sessions ADD COLUMN language TEXT NOT NULL DEFAULT '';
