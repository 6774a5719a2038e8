package authzen

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
)

const maxAnswer = 1 << 20 // bytes

// newClient returns a client that makes connections as c does.
func newClient(c *http.Client) http.Client {
	if c == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost = maxInFlight
		t.MaxResponseHeaderBytes = 64 << 10
		c = &http.Client{Transport: t}
	}
	own := *c
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return own
}

// post asks question at path, and has read read the answer.
func (d *Decider) post(ctx context.Context, path string, question any, read func([]byte) error) error {
	id := rand.Text()
	body, err := json.Marshal(question)
	if err == nil {
		body, err = d.exchange(ctx, path, id, body)
	}
	if err == nil {
		err = read(body)
	}
	if err != nil {
		return fmt.Errorf("authzen: request %s: %w", id, err)
	}
	return nil
}

// exchange sends body when it is its turn, and returns the answer.
func (d *Decider) exchange(ctx context.Context, path, id string, body []byte) ([]byte, error) {
	select {
	case d.turns <- struct{}{}:
		defer func() { <-d.turns }()
	case <-ctx.Done():
		return nil, fmt.Errorf("%d other requests are not answered: %w", maxInFlight, ctx.Err())
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header = d.header.Clone()
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	r.Header.Set("X-Request-ID", id)
	r.Header["X-Idempotency-Key"] = nil // is not sent; lets net/http ask again where an idle connection was closed just then
	res, err := d.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return nil, err
	}
	return answer, check(res, id, len(answer))
}

// check refuses what is no successful answer to the request id (AuthZEN section
// 10.1). What the answer says instead may repeat arguments, and is left out.
func check(res *http.Response, id string, length int) error {
	mediaType, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	answers := res.Header.Get("X-Request-ID")
	switch {
	case res.StatusCode != http.StatusOK:
		return fmt.Errorf("the policy decision point answers with status %d", res.StatusCode)
	case err != nil || mediaType != "application/json":
		return errors.New("the policy decision point answers with another type than application/json")
	case answers != "" && answers != id:
		return errors.New("the policy decision point answers another request")
	case length > maxAnswer:
		return fmt.Errorf("the policy decision point answers with more than %d bytes", maxAnswer)
	}
	return nil
}
