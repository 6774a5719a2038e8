package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"example.com/foyer/store"
)

// An unclaimed grant has no user: the join leaves the zero User.
const (
	bearerUser = "coalesce(foyer_users.id, ''), coalesce(foyer_users.email, ''), coalesce(foyer_users.created, 0), coalesce(foyer_users.roles, '')"
	bearerFrom = ` FROM foyer_tokens JOIN foyer_grants ON foyer_grants.id = foyer_tokens.grant_id
	LEFT JOIN foyer_users ON foyer_users.id = foyer_grants.user_id
	WHERE foyer_tokens.hash = $1`
)

var bearerByHash = "SELECT " + tokens.columns + ", " + grants.columns + ", " + bearerUser + bearerFrom

func bearerFields(b *store.Bearer) []any {
	return slices.Concat(tokenFields(&b.Token), grantFields(&b.Grant), userFields(&b.User))
}

// Bearer implements [store.Store].
func (s *DB) Bearer(ctx context.Context, h store.Hash) (store.Bearer, error) {
	if err := s.enter(ctx); err != nil {
		return store.Bearer{}, err
	}
	defer s.running.Done()
	b, err := s.bearer(ctx, h)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return store.Bearer{}, store.ErrNotFound
	case err != nil:
		return store.Bearer{}, fmt.Errorf("sqlstore: bearer: %w", s.d.Explain(err))
	}
	return b, nil
}

func (s *DB) bearer(ctx context.Context, h store.Hash) (b store.Bearer, err error) {
	if s.seats != nil {
		if b, err = s.seats.lookUp(ctx, h); err != errPacked {
			return b, err
		}
	}
	return s.bearerByColumn(ctx, h)
}

func (s *DB) bearerByColumn(ctx context.Context, h store.Hash) (b store.Bearer, err error) {
	err = s.readers.prepared[bearerByHash].QueryRowContext(ctx, h[:]).Scan(bearerFields(&b)...)
	return b, err
}
