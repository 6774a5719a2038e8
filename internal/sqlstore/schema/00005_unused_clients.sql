-- +goose Up

-- Serves the trimming of clients that were never used, in the order in which they go.
CREATE INDEX foyer_clients_unused ON foyer_clients (expires, id) WHERE last_used = 0;
