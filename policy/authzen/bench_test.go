package authzen_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"example.com/foyer/gate"
	"example.com/foyer/policy/authzen"
)

// BenchmarkDecide asks over loopback about a call, and about a list of 100. Its
// yardstick is a bare POST of as many bytes to the same server, each in turn.
func BenchmarkDecide(b *testing.B) {
	var list []gate.Request
	for i := range 100 {
		list = append(list, call(user, fmt.Sprintf("tool_%03d", i), nil))
	}
	var sent []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sent = body
		answer := `{"decision":true}`
		if strings.HasSuffix(r.URL.Path, "s") {
			answer = `{"evaluations":[` + strings.Repeat(answer+",", 99) + answer + `]}`
		}
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, answer)
	}))
	b.Cleanup(server.Close)
	d := open(b, authzen.Config{URL: server.URL, Batch: 100})
	for _, bench := range []struct {
		name, path string
		ask        func() (int, error)
	}{
		{"call", "/access/v1/evaluation", func() (int, error) {
			one, err := d.Decide(b.Context(), call(user, "delete_note", map[string]any{"id": 7.0}))
			return int(one.Outcome), err
		}},
		{"list of 100", "/access/v1/evaluations", func() (int, error) {
			all, err := d.DecideAll(b.Context(), list)
			return int(all[99].Outcome), err
		}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			if _, err := bench.ask(); err != nil {
				b.Fatal(err)
			}
			body := bytes.Clone(sent)
			var bare, asked time.Duration
			for b.Loop() {
				start := time.Now()
				res, err := server.Client().Post(server.URL+bench.path, "application/json", bytes.NewReader(body))
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, res.Body); err != nil {
					b.Fatal(err)
				}
				res.Body.Close()
				middle := time.Now()
				if outcome, err := bench.ask(); err != nil || outcome != int(gate.Allow) {
					b.Fatal(outcome, err)
				}
				bare, asked = bare+middle.Sub(start), asked+time.Since(middle)
			}
			b.ReportMetric(float64(asked.Nanoseconds())/float64(b.N), "ns/decision")
			b.ReportMetric(float64(asked)/float64(bare), "x-bare-post")
		})
	}
}
