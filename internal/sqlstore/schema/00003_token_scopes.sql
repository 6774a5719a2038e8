-- A refresh may ask for less than its grant has. What the access token was cut
-- to stands beside it; none is all of the grant's.

-- +goose Up

ALTER TABLE foyer_tokens ADD COLUMN scopes TEXT NOT NULL DEFAULT ''; -- words
