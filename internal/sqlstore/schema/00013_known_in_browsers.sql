-- Who was signed in in a browser before, and is not locked out there by strangers.

-- +goose Up

ALTER TABLE foyer_sessions ADD COLUMN known_user_id TEXT NOT NULL DEFAULT '';
