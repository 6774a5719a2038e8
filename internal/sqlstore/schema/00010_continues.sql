-- Which grant came in the place of which.

-- +goose Up

ALTER TABLE foyer_grants ADD COLUMN continues TEXT NOT NULL DEFAULT '';
