-- Which access token of a grant asked for a challenge: an answer that comes by
-- another way than the grant's client takes it along all the same.

-- +goose Up

ALTER TABLE foyer_challenges ADD COLUMN generation BIGINT NOT NULL DEFAULT 0; -- 0 for none that is known
