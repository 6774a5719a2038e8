package authzen_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"example.com/foyer/policy/authzen"
)

type object = map[string]any

// A pdp is a policy decision point: a policy behind the two endpoints of AuthZEN
// 1.0. It is as strict about questions as the specification lets it be.
type pdp struct {
	policy func(q question) object // a decision

	mu    sync.Mutex
	asked []exchange
}

// A question is an evaluation with the defaults filled in.
type question struct {
	subject, action, resource, context object
}

// An exchange is a request as it came in.
type exchange struct {
	path, id, body string
	header         http.Header
}

const pdpKey = "Bearer the key of the policy decision point"

func (p *pdp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	p.mu.Lock()
	p.asked = append(p.asked, exchange{r.URL.Path, r.Header.Get("X-Request-ID"), string(body), r.Header.Clone()})
	p.mu.Unlock()
	var in object
	switch {
	case err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" || json.Unmarshal(body, &in) != nil:
		http.Error(w, "not a POST of JSON", http.StatusBadRequest)
		return
	case r.Header.Get("Authorization") != pdpKey:
		http.Error(w, "who asks?", http.StatusUnauthorized)
		return
	}
	var out any
	switch r.URL.Path {
	case "/tenant/access/v1/evaluation":
		out = p.evaluate(in, nil)
	case "/tenant/access/v1/evaluations":
		out = p.evaluateAll(in)
	}
	if out == nil {
		http.Error(w, "bad question", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-Request-ID", r.Header.Get("X-Request-ID"))
	json.NewEncoder(w).Encode(out)
}

// evaluate answers one question, or nil where something required is missing.
func (p *pdp) evaluate(in, defaults object) any {
	all := maps.Clone(defaults)
	if all == nil {
		all = object{}
	}
	maps.Copy(all, in)
	var q question
	for key, part := range map[string]*object{"subject": &q.subject, "action": &q.action, "resource": &q.resource, "context": &q.context} {
		value, isObject := all[key].(object)
		if _, there := all[key]; there && !isObject || !there && key != "context" {
			return nil
		}
		*part = value
	}
	for _, text := range []any{q.subject["type"], q.subject["id"], q.resource["type"], q.resource["id"], q.action["name"]} {
		if s, ok := text.(string); !ok || s == "" {
			return nil
		}
	}
	return p.policy(q)
}

func (p *pdp) evaluateAll(in object) any {
	list, _ := in["evaluations"].([]any)
	if len(list) == 0 {
		return p.evaluate(in, nil)
	}
	semantic := "execute_all"
	if options, ok := in["options"].(object); ok && options["evaluations_semantic"] != nil {
		semantic, _ = options["evaluations_semantic"].(string)
	}
	stop, known := map[string]any{"execute_all": nil, "deny_on_first_deny": false, "permit_on_first_permit": true}[semantic]
	if !known {
		return nil
	}
	answers := []any{}
	for _, entry := range list {
		e, ok := entry.(object)
		if !ok {
			return nil
		}
		answer := p.evaluate(e, in)
		if answer == nil {
			answer = object{"decision": false, "context": object{"error": object{"status": 400, "message": "incomplete"}}}
		}
		answers = append(answers, answer)
		if decision := answer.(object)["decision"]; stop != nil && decision == stop {
			break
		}
	}
	return object{"evaluations": answers}
}

// exchanges are the requests until now.
func (p *pdp) exchanges() []exchange {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asked)
}

var allow, deny = object{"decision": true}, object{"decision": false}

// lacks denies, and names the scopes that would change it.
func lacks(scopes ...string) object {
	return object{"decision": false, "context": object{"scopes": scopes, "reason_user": object{"403": "You may not."}}}
}

func has(list any, name string) bool {
	all, _ := list.([]any)
	return slices.Contains(all, any(name))
}

// serve runs h, and returns a decider that asks it.
func serve(t testing.TB, h http.Handler, change ...func(*authzen.Config)) *authzen.Decider {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	cfg := authzen.Config{URL: server.URL + "/tenant", Header: http.Header{"Authorization": {pdpKey}}}
	for _, c := range change {
		c(&cfg)
	}
	return open(t, cfg)
}

func open(t testing.TB, cfg authzen.Config) *authzen.Decider {
	t.Helper()
	d, err := authzen.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
