package elicit

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
	"example.com/foyer/store"
)

// A session asks while the call waits, on the MCP session of a version before
// 2026-07-28.
type session struct {
	q      *Questions
	ctx    context.Context
	peer   *mcp.ServerSession
	caller gate.Caller
	before store.Grant // as it stood when the call began
	rounds int
}

func (s *session) start() error {
	var err error
	s.before, err = s.q.look(s.ctx, s.caller)
	return err
}

// put asks until an answer fits, and makes sure that the caller may still have
// one.
func (s *session) put(qn question) (answer, error) {
	problem := ""
	for {
		if s.rounds++; s.rounds > maxRounds {
			return answer{}, errTooMany
		}
		res, err := s.elicit(qn.again(problem))
		if err != nil {
			return answer{}, err
		}
		if err := s.stillStands(); err != nil {
			return answer{}, err
		}
		var got answer
		bad := misfit("it is none of what was asked for")
		if res != nil {
			if got, err = qn.judge(res); err == nil {
				return got, nil
			}
			if !errors.As(err, &bad) {
				return answer{}, err
			}
		}
		problem = string(bad)
	}
}

// elicit sends one question. Its result is nil for an answer that does not fit
// the form, which the SDK keeps to itself.
func (s *session) elicit(p *mcp.ElicitParams) (*mcp.ElicitResult, error) {
	if p.Mode == "url" {
		p.ElicitationID = rand.Text() // the protocol had it until 2025-11-25
	}
	ctx, cancel := context.WithTimeout(s.ctx, s.q.patience)
	defer cancel()
	res, err := s.peer.Elicit(ctx, p)
	var refused *jsonrpc.Error
	switch {
	case s.ctx.Err() != nil:
		return nil, fmt.Errorf("elicit: the client has gone: %w", s.ctx.Err())
	case ctx.Err() != nil:
		return nil, ErrCancelled // nobody answered
	case errors.As(err, &refused), errors.Is(err, mcp.ErrConnectionClosed):
		return nil, fmt.Errorf("%w: %w", errUnreached, err)
	case err != nil:
		return nil, nil // all that is left: its content is not what was asked for
	case res.Action != "accept" && res.Action != "decline" && res.Action != "cancel":
		return nil, nil
	}
	return res, nil
}

// stillStands refuses to go on for whom the call would not begin any more:
// minutes have passed since the gate asked the rules.
func (s *session) stillStands() error {
	now, err := s.q.look(s.ctx, s.caller)
	if err != nil {
		return err
	}
	lost := slices.ContainsFunc(s.before.Scopes, func(scope string) bool { return !slices.Contains(now.Scopes, scope) })
	if lost || now.Epoch != s.before.Epoch || now.Level != s.before.Level {
		return errChanged
	}
	return nil
}
