package sqlstore

import (
	"context"

	"example.com/foyer/store"
)

var (
	events = newTable("foyer_events", "id", "at", "until", "kind", "request", "grant_id", "client_id", "user_id", "guest_id", "level",
		"item", "method", "outcome", "reason", "scopes", "roles", "operation", "done_by", "whom", "times", "place", "key_id", "mac")
	chains = newTable("foyer_chains", "id", "head")

	eventsUnsealed = events.where("place = 0 ORDER BY id LIMIT $1")
	eventsSealed   = events.where("place > $1 AND place <> 0 ORDER BY place LIMIT $2") // the second condition is the index's
	eventsOfUser   = events.where("user_id = $1 AND " + eventsOfUsers + " ORDER BY id DESC LIMIT $2")
	eventsOfUsers  = "user_id <> '' AND kind NOT IN ('decided', 'grant_refreshed')" // the condition is the index's
	eventsDelete   = "DELETE FROM foyer_events WHERE place > 0 AND place <= $1 AND place <> 0"
	chainByID      = chains.where("id = $1")
)

func eventFields(e *store.Event) []any {
	return []any{&e.ID, (*instant)(&e.At), (*instant)(&e.Until), &e.Kind, &e.Request, &e.GrantID, &e.ClientID, &e.UserID, &e.GuestID, &e.Level,
		&e.Item, &e.Method, &e.Outcome, &e.Reason, (*words)(&e.Scopes), (*words)(&e.Roles), &e.Operation, &e.By, &e.Whom, &e.Count, &e.Place, &e.KeyID, (*text)(&e.MAC)}
}

func (tx *tx) PutEvent(ctx context.Context, e store.Event) error {
	return tx.put(ctx, events.upsert, eventFields(&e))
}

func (tx *tx) UnsealedEvents(ctx context.Context, limit int) ([]store.Event, error) {
	return tx.events(ctx, eventsUnsealed, max(limit, 0))
}

func (tx *tx) SealedEvents(ctx context.Context, after, limit int) ([]store.Event, error) {
	return tx.events(ctx, eventsSealed, after, max(limit, 0))
}

func (tx *tx) EventsOfUser(ctx context.Context, userID string, limit int) ([]store.Event, error) {
	return tx.events(ctx, eventsOfUser, userID, max(limit, 0))
}

func (tx *tx) events(ctx context.Context, query string, args ...any) (all []store.Event, err error) {
	err = tx.each(ctx, func(scan func(...any) error) error {
		var e store.Event
		err := scan(eventFields(&e)...)
		all = append(all, e)
		return err
	}, query, args...)
	return all, err
}

func (tx *tx) DeleteEvents(ctx context.Context, last int) error {
	_, err := tx.exec(ctx, eventsDelete, last)
	return err
}

func (tx *tx) Chain(ctx context.Context, id string) (c store.Chain, err error) {
	err = tx.get(ctx, []any{&c.ID, (*text)(&c.Head)}, chainByID, id)
	return c, err
}

func (tx *tx) PutChain(ctx context.Context, c store.Chain) error {
	return tx.put(ctx, chains.upsert, []any{&c.ID, (*text)(&c.Head)})
}
