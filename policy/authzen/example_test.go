package authzen_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"

	"example.com/foyer"
	"example.com/foyer/gate"
	"example.com/foyer/policy/authzen"
)

// The policy decision point of a company, in front of which the tables stay.
func Example() {
	policy, err := authzen.New(authzen.Config{
		URL:    "https://pdp.example.com/tenant1",
		Header: http.Header{"Authorization": {"Bearer " + os.Getenv("NOTES_PDP_KEY")}},
	})
	if err != nil {
		log.Fatal(err)
	}
	_ = foyer.Config{
		Decider: policy,
		// and the rest, as without one
	}
}

// A denial that names scopes sends the client to the authorization server for
// them; with them, the same call is asked about anew.
func ExampleDecider_Decide() {
	pdp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"decision": false, "context": {"scopes": ["notes:export"]}}`)
	}))
	defer pdp.Close()
	policy, err := authzen.New(authzen.Config{URL: pdp.URL})
	if err != nil {
		log.Fatal(err)
	}
	ann := gate.Caller{GrantID: "g1", UserID: "u1", Scopes: []string{"guest", "notes:write"}}
	d, err := policy.Decide(context.Background(), gate.Request{Caller: ann, Kind: gate.Tool, Item: "export_notes", Name: "export_notes"})
	fmt.Println(d.Outcome == gate.Challenge, d.Reason, d.Scopes, err)
	// Output: true needs_scopes [notes:export] <nil>
}
