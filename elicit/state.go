package elicit

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
	"example.com/foyer/store"
)

const purpose = "elicitation state"

// slack is for how long a used state is remembered after its end, because two
// clocks differ.
const slack = time.Minute

// A state is what a question's answer needs in order to count: sealed, and
// carried by the client (MCP 2026-07-28, MRTR, "Server Requirements").
type state struct {
	ID        string            `json:"id"`   // of this round, to be used once
	Call      string            `json:"call"` // of all rounds
	Tool      string            `json:"tool"`
	Arguments string            `json:"args"` // digest of their canonical JSON
	GrantID   string            `json:"grant,omitempty"`
	GuestID   string            `json:"guest,omitempty"`
	UserID    string            `json:"user,omitempty"`
	Epoch     int               `json:"epoch,omitempty"`
	Asked     string            `json:"asked"`    // name of the question
	Question  string            `json:"question"` // its digest
	Answers   map[string]answer `json:"answers,omitempty"`
	Round     int               `json:"round"`
	Expires   time.Time         `json:"expires"`
}

// A rounds asks by ending the run, in 2026-07-28.
type rounds struct {
	q       *Questions
	state   state             // what came with the request, or what a first request has instead
	came    *mcp.ElicitResult // for state.Asked, or nil
	answers map[string]answer // of this run
	pending *question
	problem string // with the answer that came for pending
}

// open reads the state that came with p, and makes it count: once, for the same
// call of the same caller.
func (q *Questions) open(ctx context.Context, p *mcp.CallToolParamsRaw, c gate.Caller) (*rounds, error) {
	call := state{Call: rand.Text(), Tool: p.Name, GrantID: c.GrantID, GuestID: c.GuestID, UserID: c.UserID}
	var err error
	if call.Arguments, err = argumentsDigest(p.Arguments); err != nil {
		return nil, fmt.Errorf("%w: arguments: %w", errFault, err) // cannot happen: the SDK has read them
	}
	r := &rounds{q: q, state: call, answers: map[string]answer{}}
	if p.RequestState == "" {
		if len(p.InputResponses) > 0 {
			return nil, errUnasked
		}
		gr, err := q.look(ctx, c)
		r.state.Epoch = gr.Epoch
		return r, err
	}
	if r.state, err = q.unseal(p.RequestState, call); err != nil {
		return nil, err
	}
	if r.came, err = response(p.InputResponses, r.state.Asked); err != nil {
		return nil, err
	}
	return r, q.use(ctx, r.state, c)
}

// unseal opens sealed, which has to be of call.
func (q *Questions) unseal(sealed string, call state) (s state, err error) {
	if len(sealed) > maxState || q.keys.Open(purpose, sealed, &s) != nil {
		return state{}, errForged
	}
	switch {
	case s.Tool != call.Tool, s.Arguments != call.Arguments, s.GrantID != call.GrantID:
		return state{}, errForged
	case !q.now().Before(s.Expires):
		return state{}, errExpired
	case s.GuestID != call.GuestID, s.UserID != call.UserID: // the grant was claimed or signed out
		return state{}, errChanged
	}
	return s, nil
}

// response is what came for the question asked, or nil: then it is asked again
// (MCP 2026-07-28, MRTR). Whatever else came was not asked, and is not read.
func response(came mcp.InputResponseMap, asked string) (*mcp.ElicitResult, error) {
	r, ok := came[asked]
	if !ok {
		return nil, nil
	}
	res, ok := r.(*mcp.ElicitResult)
	if !ok || res == nil {
		return nil, errShape
	}
	switch res.Action {
	case "accept", "decline", "cancel":
		return res, nil
	}
	return nil, errShape
}

// use records that s was used, unless it was before, or its caller is not who
// they were. Of many at once, one gets nil.
func (q *Questions) use(ctx context.Context, s state, c gate.Caller) error {
	var refusal error
	err := q.store.Update(ctx, func(tx store.Tx) error {
		refusal = nil
		gr, err := stands(ctx, tx, c, q.now())
		if errors.Is(err, errChanged) || err == nil && gr.Epoch != s.Epoch {
			refusal = errChanged
			return nil
		} else if err != nil {
			return err
		}
		id := "elicit " + s.ID
		if _, err := tx.Redemption(ctx, id); err == nil {
			refusal = errUsed
			return nil
		} else if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return tx.PutRedemption(ctx, store.Redemption{CodeID: id, GrantID: s.GrantID, Expires: s.Expires.Add(slack)})
	})
	if err != nil {
		return fmt.Errorf("%w: use an answer: %w", errFault, err)
	}
	return refusal
}

// put returns what was answered to qn, in these words. Else the run is over: qn
// is the question that its result asks.
func (r *rounds) put(qn question) (answer, error) {
	if r.pending != nil {
		return answer{}, ErrPending
	}
	if before, ok := r.state.Answers[qn.name]; ok && before.Question == qn.digest {
		r.answers[qn.name] = before
		return before, nil
	}
	if r.came != nil && r.state.Asked == qn.name && r.state.Question == qn.digest {
		got, err := qn.judge(r.came)
		if err == nil {
			r.answers[qn.name] = got
			return got, nil
		}
		var bad misfit
		if !errors.As(err, &bad) {
			return answer{}, err
		}
		r.problem = string(bad)
	}
	r.pending = &qn
	return answer{}, ErrPending
}

// result asks the pending question.
func (r *rounds) result() (*mcp.CallToolResult, error) {
	next := r.state
	if next.Round++; next.Round > maxRounds {
		return nil, errTooMany
	}
	next.ID, next.Asked, next.Question = rand.Text(), r.pending.name, r.pending.digest
	next.Answers, next.Expires = maps.Clone(r.answers), r.q.now().Add(r.q.patience)
	sealed, err := r.q.keys.Seal(purpose, next)
	if err != nil {
		return nil, fmt.Errorf("%w: seal: %w", errFault, err)
	}
	return &mcp.CallToolResult{
		Content:       []mcp.Content{}, // nil would be sent as null
		InputRequests: mcp.InputRequestMap{next.Asked: r.pending.again(r.problem)},
		RequestState:  sealed.Reveal(),
	}, nil
}

// argumentsDigest is the same for the same arguments, however they are written.
func argumentsDigest(raw json.RawMessage) (string, error) {
	arguments := map[string]any{}
	if len(raw) > 0 {
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		if err := d.Decode(&arguments); err != nil {
			return "", err
		}
	}
	if arguments == nil {
		arguments = map[string]any{} // null
	}
	return digest(arguments)
}
