-- Users who are about to be deleted. The indexes find what is to go with them.

-- +goose Up

CREATE TABLE foyer_deletions (
	user_id  TEXT   NOT NULL PRIMARY KEY,
	asked    BIGINT NOT NULL, -- instant
	until    BIGINT NOT NULL, -- instant
	tries    BIGINT NOT NULL,
	due      BIGINT NOT NULL, -- instant
	language TEXT   NOT NULL
);
CREATE INDEX foyer_deletions_due ON foyer_deletions (due);

CREATE INDEX foyer_sessions_of_user ON foyer_sessions (user_id) WHERE user_id <> '';
CREATE INDEX foyer_sessions_of_address ON foyer_sessions (email) WHERE email <> '';
CREATE INDEX foyer_challenges_of_address ON foyer_challenges (email);
CREATE INDEX foyer_browsers_of_grant ON foyer_browsers (grant_id);
CREATE INDEX foyer_operations_of_user ON foyer_operations (user_id) WHERE user_id <> '';
