-- What the account page shows: when a grant was last refreshed, and what a user did
-- and had done. The index is without what there is much of, and what no page lists.

-- +goose Up

ALTER TABLE foyer_grants ADD COLUMN refreshed BIGINT NOT NULL DEFAULT 0; -- instant
CREATE INDEX foyer_events_of_user ON foyer_events (user_id, id) WHERE user_id <> '' AND kind NOT IN ('decided', 'grant_refreshed');
