-- What the application gives to users, and what a grant has for a while.

-- +goose Up

ALTER TABLE foyer_users ADD COLUMN roles TEXT NOT NULL DEFAULT ''; -- words
ALTER TABLE foyer_grants ADD COLUMN elevations TEXT NOT NULL DEFAULT ''; -- JSON, or empty for none
CREATE INDEX foyer_grants_of_user ON foyer_grants (user_id, created) WHERE user_id <> '';
