package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
	"example.com/foyer/store/sqlite"
)

// A server of Go's own that does nothing else.
const bareServer = `package main

import (
	"fmt"
	"net/http"
	"os"
)

func main() {
	http.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	fmt.Fprintln(os.Stderr, http.ListenAndServe(os.Args[1], nil))
	os.Exit(1)
}
`

// How long the program takes from its start to its first answer, and what memory
// it has then, beside a bare server: where there is no folder yet, where there is
// an empty store, and where there are 100,000 grants.
func BenchmarkStart(b *testing.B) {
	dir := b.TempDir()
	source := filepath.Join(dir, "main.go")
	if err := os.WriteFile(source, []byte(bareServer), 0o600); err != nil {
		b.Fatal(err)
	}
	bare, foyer := filepath.Join(dir, "bare"), filepath.Join(dir, "foyer")
	build(b, bare, source)
	build(b, foyer, ".")
	full, empty := filepath.Join(dir, "full"), filepath.Join(dir, "empty")
	fill(b, full, 100_000)
	fill(b, empty, 0)
	starts := []struct {
		name string
		args func(addr string) []string
	}{
		{"bare", func(addr string) []string { return []string{bare, addr} }},
		{"new", func(addr string) []string { return []string{foyer, "demo", "--addr", addr, "--data", b.TempDir()} }},
		{"empty", func(addr string) []string { return []string{foyer, "demo", "--addr", addr, "--data", empty} }},
		{"100k", func(addr string) []string { return []string{foyer, "demo", "--addr", addr, "--data", full} }},
	}
	took, memory := make([][]float64, len(starts)), make([][]float64, len(starts))
	for b.Loop() {
		for i, s := range starts {
			ms, mib := startOnce(b, s.args)
			took[i], memory[i] = append(took[i], ms), append(memory[i], mib)
		}
	}
	b.ReportMetric(0, "ns/op")
	for i, s := range starts {
		b.ReportMetric(median(took[i]), s.name+"-ms")
		b.ReportMetric(median(memory[i]), s.name+"-MiB")
		if i > 0 {
			b.ReportMetric(median(took[i])/median(took[0]), s.name+"-x/bare")
		}
	}
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

func build(b *testing.B, to, what string) {
	b.Helper()
	if out, err := exec.CommandContext(b.Context(), "go", "build", "-o", to, what).CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
}

// fill puts so many guests in a store at dir, with the tokens that they have.
func fill(b *testing.B, dir string, grants int) {
	b.Helper()
	if err := os.Mkdir(dir, 0o700); err != nil {
		b.Fatal(err)
	}
	s, err := sqlite.Open(filepath.Join(dir, "foyer.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for n := 0; n < grants; n += 1000 {
		err := s.Update(b.Context(), func(tx store.Tx) error {
			for i := range 1000 {
				if err := putGuest(b.Context(), tx, fmt.Sprintf("%026d", n+i)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func putGuest(ctx context.Context, tx store.Tx, id string) error {
	now := time.Now()
	g := store.Grant{ID: id, ClientID: id, RedirectHost: "app.example", Resource: "https://notes.example.com/mcp", GuestID: "guest_" + id,
		Epoch: 1, Generation: 1, Scopes: []string{"guest"}, Created: now, Expires: now.Add(24 * time.Hour)}
	if err := tx.PutGrant(ctx, g); err != nil {
		return err
	}
	pair := secret.NewPair()
	for _, t := range []store.Token{
		{Hash: pair.Access.Hash(), Kind: store.Access, GrantID: id, Epoch: 1, Generation: 1, Expires: now.Add(time.Hour)},
		{Hash: pair.Refresh.Hash(), Kind: store.Refresh, GrantID: id, Epoch: 1, Generation: 1},
	} {
		if err := tx.PutToken(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// startOnce starts a server on a free port, waits for its first answer, and ends
// it.
func startOnce(b *testing.B, args func(addr string) []string) (ms, mib float64) {
	b.Helper()
	addr := freeAddr(b)
	line := args(addr)
	cmd := exec.CommandContext(b.Context(), line[0], line[1:]...)
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Signal(syscall.SIGTERM)
	for !answers(addr) {
		if time.Since(begun) > 30*time.Second {
			b.Fatalf("%s does not answer", line[0])
		}
		time.Sleep(100 * time.Microsecond)
	}
	took := time.Since(begun)
	return float64(took.Microseconds()) / 1e3, resident(b, cmd.Process.Pid)
}

func freeAddr(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func answers(addr string) bool {
	res, err := http.Get("http://" + addr + "/healthz")
	if err != nil {
		return false
	}
	res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// resident is the memory of a process, in MiB.
func resident(b *testing.B, pid int) float64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	var kib float64
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		b.Fatal(err)
	}
	return kib / 1024
}
