package authzen_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/foyer/gate"
	"example.com/foyer/policy/authzen"
)

// says answers every question with a body that allows, in the dress that a test
// gives it.
func says(status int, header map[string]string, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Request-ID", r.Header.Get("X-Request-ID"))
		for name, value := range header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	})
}

// denied checks that d answers a decision and a list by an error that repeats
// nothing, and no decision that allows.
func denied(t *testing.T, d *authzen.Decider, want string) {
	t.Helper()
	r := call(user, "delete_note", map[string]any{"text": "canary of the arguments"})
	one, err := d.Decide(t.Context(), r)
	all, allErr := d.DecideAll(t.Context(), []gate.Request{r, r})
	if err == nil || one.Outcome != gate.Deny || allErr == nil || all != nil {
		t.Fatalf("Decide = %+v, %v; DecideAll = %+v, %v", one, err, all, allErr)
	}
	for _, err := range []error{err, allErr} {
		if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "canary") || !strings.HasPrefix(err.Error(), "authzen: request ") {
			t.Errorf("the error is %q, want one that says %q", err, want)
		}
	}
}

func TestT86WhatIsNoAnswerDenies(t *testing.T) {
	const yes = `{"decision":true,"evaluations":[{"decision":true},{"decision":true}],"canary":1}`
	for _, test := range []struct {
		name   string
		status int
		header map[string]string
		body   string
		want   string
	}{
		{"a fault", 500, nil, yes, "status 500"},
		{"a key that is refused", 401, nil, yes, "status 401"},
		{"a refusal", 403, nil, yes, "status 403"},
		{"another success", 201, nil, yes, "status 201"},
		{"a part", 206, nil, yes, "status 206"},
		{"a redirect elsewhere", 307, map[string]string{"Location": "/elsewhere"}, yes, "status 307"},
		{"a redirect that makes it a GET", 302, map[string]string{"Location": "/elsewhere"}, yes, "status 302"},
		{"HTML", 200, map[string]string{"Content-Type": "text/html"}, yes, "another type"},
		{"a text that happens to be JSON", 200, map[string]string{"Content-Type": "text/plain"}, yes, "another type"},
		{"no type", 200, map[string]string{"Content-Type": ""}, yes, "another type"},
		{"a problem", 200, map[string]string{"Content-Type": "application/problem+json"}, yes, "another type"},
		{"the answer to another request", 200, map[string]string{"X-Request-ID": "canary"}, yes, "another request"},
		{"nothing", 200, nil, ``, "not one JSON object"},
		{"no JSON", 200, nil, `canary`, "not one JSON object"},
		{"a list", 200, nil, `[` + yes + `]`, "not one JSON object"},
		{"true", 200, nil, `true`, "not one JSON object"},
		{"null", 200, nil, `null`, "not one JSON object"},
		{"two answers", 200, nil, yes + yes, "not one JSON object"},
		{"an answer and more", 200, nil, yes + `}`, "not one JSON object"},
		{"an answer that is cut off", 200, nil, yes[:len(yes)-1], "not one JSON object"},
		{"an answer that is shorter than it says", 200, map[string]string{"Content-Length": "1000"}, yes, "EOF"},
		{"a very long one", 200, nil, yes[:len(yes)-1] + strings.Repeat(" ", 1<<20) + `}`, "more than"},
		{"one that begins with a mark", 200, nil, "\ufeff" + yes, "not one JSON object"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var elsewhere atomic.Int32
			mux := http.NewServeMux()
			mux.Handle("/tenant/", says(test.status, test.header, test.body))
			mux.HandleFunc("/elsewhere", func(w http.ResponseWriter, r *http.Request) {
				elsewhere.Add(1)
				says(200, nil, yes).ServeHTTP(w, r)
			})
			follow := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return nil }}
			denied(t, serve(t, mux, func(cfg *authzen.Config) { cfg.Client = follow }), test.want)
			if elsewhere.Load() != 0 {
				t.Error("a redirect was followed")
			}
		})
	}
	d := serve(t, says(200, map[string]string{"Content-Type": "Application/JSON; charset=utf-8", "X-Request-ID": ""}, yes))
	one, err := d.Decide(t.Context(), call(user, "a", nil))
	all, allErr := d.DecideAll(t.Context(), []gate.Request{call(user, "a", nil), call(user, "b", nil)})
	if err != nil || allErr != nil || one.Outcome != gate.Allow || len(all) != 2 || all[0].Outcome != gate.Allow {
		t.Errorf("the same in a good dress: %+v, %v; %+v, %v", one, err, all, allErr)
	}
}

func TestT86OnlyADecisionThatIsTrueAllows(t *testing.T) {
	const noDecision, noFulfilment = "no \"decision\"", "obligations"
	for _, test := range []struct{ name, decision, want string }{
		{"none", `{}`, noDecision},
		{"a text", `{"decision":"true"}`, noDecision},
		{"a number", `{"decision":1}`, noDecision},
		{"null", `{"decision":null}`, noDecision},
		{"a list", `{"decision":[true]}`, noDecision},
		{"an object", `{"decision":{"decision":true}}`, noDecision},
		{"another case", `{"Decision":true}`, noDecision},
		{"another name", `{"allow":true,"result":true}`, noDecision},
		{"one deeper", `{"context":{"decision":true}}`, noDecision},
		{"twice true", `{"decision":true,"decision":true}`, "comes twice"},
		{"false and then true", `{"decision":false,"decision":true}`, "comes twice"},
		{"true and then false, written otherwise", `{"decision":true,"\u0064ecision":false}`, "comes twice"},
		{"true with an obligation", `{"decision":true,"context":{"obligations":[{"id":"1","type":"notify"}]}}`, noFulfilment},
		{"true with obligations that are none", `{"decision":true,"context":{"obligations":"log"}}`, noFulfilment},
		{"true with two sorts of obligations", `{"decision":true,"context":{"obligations":[{}],"obligations":[]}}`, noFulfilment},
		{"true with a context that is a text", `{"decision":true,"context":"obligations"}`, noFulfilment},
	} {
		t.Run(test.name, func(t *testing.T) {
			denied(t, serve(t, answers(test.decision, 2)), test.want)
		})
	}
	for _, decision := range []string{`{"decision":true}`, ` { "x" : [1] , "decision" : true } `, `{"decision":true,"context":null}`,
		`{"decision":true,"context":{"obligations":[],"metadata":{"response_time":60}}}`, `{"\u0064ecision":true,"Decision":false}`} {
		if d, err := serve(t, answers(decision, 1)).Decide(t.Context(), call(user, "a", nil)); err != nil || d.Outcome != gate.Allow {
			t.Errorf("%s: %+v, %v", decision, d, err)
		}
	}
}

// answers gives one decision to everything: n times to a list.
func answers(decision string, n int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := decision
		if strings.HasSuffix(r.URL.Path, "evaluations") {
			body = `{"evaluations":[` + strings.Repeat(decision+",", n-1) + decision + `]}`
		}
		says(200, nil, body).ServeHTTP(w, r)
	})
}

func TestT86AListIsAnsweredWholeOrNotAtAll(t *testing.T) {
	yes := `{"decision":true}`
	for _, test := range []struct{ name, body string }{
		{"fewer answers", `{"evaluations":[` + yes + `]}`},
		{"more answers", `{"evaluations":[` + yes + `,` + yes + `,` + yes + `]}`},
		{"no answers", `{"evaluations":[]}`},
		{"no list", `{"decision":true}`},
		{"null", `{"evaluations":null}`},
		{"an object", `{"evaluations":{"0":` + yes + `,"1":` + yes + `}}`},
		{"another case", `{"Evaluations":[` + yes + `,` + yes + `]}`},
		{"two lists", `{"evaluations":[{"decision":false},{"decision":false}],"evaluations":[` + yes + `,` + yes + `]}`},
		{"booleans", `{"evaluations":[true,true]}`},
		{"one that is none", `{"evaluations":[` + yes + `,null]}`},
		{"one without a decision", `{"evaluations":[` + yes + `,{"context":{}}]}`},
		{"one with two decisions", `{"evaluations":[` + yes + `,{"decision":false,"decision":true}]}`},
	} {
		d := serve(t, says(200, nil, test.body))
		if all, err := d.DecideAll(t.Context(), []gate.Request{call(user, "a", nil), call(user, "b", nil)}); err == nil || all != nil {
			t.Errorf("%s: %+v, %v", test.name, all, err)
		}
	}
}

// One batch that fails takes the others with it.
func TestT86OneBatchThatFailsDeniesTheList(t *testing.T) {
	var n atomic.Int32
	d := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status := 200
		if n.Add(1) == 2 {
			status = 503
		}
		says(status, nil, `{"evaluations":[{"decision":true}]}`).ServeHTTP(w, r)
	}), func(cfg *authzen.Config) { cfg.Batch = 1 })
	rs := []gate.Request{call(user, "a", nil), call(user, "b", nil), call(user, "c", nil)}
	if all, err := d.DecideAll(t.Context(), rs); err == nil || all != nil || n.Load() != 2 {
		t.Errorf("DecideAll = %+v, %v after %d requests", all, err, n.Load())
	}
}

func TestT86APolicyDecisionPointThatIsDownDenies(t *testing.T) {
	server := httptest.NewServer(says(200, nil, `{"decision":true}`))
	d := open(t, authzen.Config{URL: server.URL})
	if got, err := d.Decide(t.Context(), call(user, "a", nil)); err != nil || got.Outcome != gate.Allow {
		t.Fatalf("while it is up: %+v, %v", got, err)
	}
	server.Close()
	denied(t, d, "connect") // and what was allowed a moment ago is not
}

// A silence is a policy decision point that takes a connection, or a question,
// and says nothing more.
func TestT86APolicyDecisionPointThatIsSilentDenies(t *testing.T) {
	for _, said := range []string{"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"decision\":true"} {
		synctest.Test(t, func(t *testing.T) {
			hangUp := make(chan struct{})
			silent := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
				ours, theirs := net.Pipe()
				go func() {
					defer theirs.Close()
					if r, err := http.ReadRequest(bufio.NewReader(theirs)); err == nil {
						io.Copy(io.Discard, r.Body)
						io.WriteString(theirs, said)
					}
					<-hangUp
				}()
				return ours, nil
			}}
			d := open(t, authzen.Config{URL: "http://localhost", Client: &http.Client{Transport: silent}})
			start := time.Now()
			denied(t, d, "deadline exceeded")
			if took := time.Since(start); took != 4*time.Second {
				t.Errorf("two questions took %v, want 2 s each", took)
			}
			short, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			start = time.Now()
			if got, err := d.Decide(short, call(user, "a", nil)); !errors.Is(err, context.DeadlineExceeded) || got.Outcome != gate.Deny || time.Since(start) != time.Second {
				t.Errorf("who has a second: %+v, %v after %v", got, err, time.Since(start))
			}
			close(hangUp)
			silent.CloseIdleConnections()
		})
	}
}

// However many ask, a policy decision point in trouble gets 64 requests at a
// time; who does not get a turn in time is denied.
func TestT86RequestsInFlightAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most, all int
		var mu sync.Mutex
		slow := roundTrip(func(r *http.Request) (*http.Response, error) {
			mu.Lock()
			now, all = now+1, all+1
			most = max(most, now)
			mu.Unlock()
			<-r.Context().Done()
			mu.Lock()
			now--
			mu.Unlock()
			return nil, r.Context().Err()
		})
		d := open(t, authzen.Config{URL: "http://localhost", Client: &http.Client{Transport: slow}})
		var wait sync.WaitGroup
		var waited atomic.Int32
		for range 200 {
			wait.Go(func() {
				got, err := d.Decide(t.Context(), call(user, "a", nil))
				if !errors.Is(err, context.DeadlineExceeded) || got.Outcome != gate.Deny {
					t.Errorf("%+v, %v", got, err)
				}
				if strings.Contains(fmt.Sprint(err), "64 other requests are not answered") {
					waited.Add(1)
				}
			})
		}
		wait.Wait()
		if most != 64 || int(waited.Load())+all != 200 || waited.Load() == 0 {
			t.Errorf("%d requests at a time, %d in all, %d had no turn", most, all, waited.Load())
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A client that goes away takes its question with it.
func TestT86AQuestionEndsWithItsRequest(t *testing.T) {
	asked := make(chan struct{})
	released := make(chan struct{})
	d := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) // else nobody watches the connection
		close(asked)
		<-r.Context().Done()
		close(released)
	}), func(cfg *authzen.Config) { cfg.Timeout = time.Minute })
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	if got, err := d.Decide(ctx, call(user, "a", nil)); !errors.Is(err, context.Canceled) || got.Outcome != gate.Deny {
		t.Errorf("Decide = %+v, %v", got, err)
	}
	<-released
}
