package foyer

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
)

// A canary is a value that may be seen in few places, or in none.
type canary struct {
	kind, value string
	digits      bool              // is found only as a whole run of digits
	allowed     func(string) bool // by name of the place; nil for nowhere
}

// A place is somewhere that somebody may look.
type place struct{ name, text string }

// A recorder keeps every answer, and learns the secrets that it issues.
type recorder struct {
	mu       sync.Mutex
	requests int
	places   []place
	issued   []canary
	headers  http.Header // that every request carries
	secrets  []*http.Response
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	for name, values := range r.headers {
		if req.Header.Get(name) == "" {
			req.Header[name] = values
		}
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil {
		return nil, err
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests++
	at := fmt.Sprintf("response %d to %s %s: ", r.requests, req.Method, req.URL.Path)
	for name, values := range res.Header {
		r.places = append(r.places, place{at + name, strings.Join(values, "\n")})
	}
	r.places = append(r.places, place{at + "body", string(body)})
	r.learn(at, req, res, body)
	return res, nil
}

// learn notes what the answer issues, and that only it may show that.
func (r *recorder) learn(at string, req *http.Request, res *http.Response, body []byte) {
	before := len(r.issued)
	issue := func(kind, value string, parts ...string) {
		if value != "" {
			r.issued = append(r.issued, canary{kind: kind, value: value, allowed: func(name string) bool {
				return slices.ContainsFunc(parts, func(part string) bool { return name == at+part })
			}})
		}
	}
	if req.URL.Path == "/token" && res.StatusCode == http.StatusOK {
		var tokens struct {
			Access  string `json:"access_token"`
			Refresh string `json:"refresh_token"`
		}
		if json.Unmarshal(body, &tokens) == nil {
			issue("access token", tokens.Access, "body")
			issue("refresh token", tokens.Refresh, "body")
		}
	}
	if location, err := res.Location(); err == nil {
		issue("authorization code", location.Query().Get("code"), "Location")
	}
	if to, ok := strings.CutPrefix(res.Header.Get("Refresh"), "0; url="); ok {
		if u, err := url.Parse(to); err == nil {
			issue("authorization code", u.Query().Get("code"), "Refresh", "body") // the page has a link beside it
		}
	}
	issue("session ID", res.Header.Get("Mcp-Session-Id"), "Mcp-Session-Id")
	for _, cookie := range res.Cookies() {
		issue("cookie", cookie.Value, "Set-Cookie")
	}
	if found := regexp.MustCompile(`"requestState":"([^"]+)"`).FindSubmatch(body); found != nil {
		issue("state of a question", string(found[1]), "body")
	}
	if found := regexp.MustCompile(`name="request" value="([^"]+)"`).FindSubmatch(body); found != nil {
		issue("sealed request", string(found[1]), "body")
	}
	if len(r.issued) > before {
		r.secrets = append(r.secrets, res)
	}
}

// merged joins canaries of one value, which each of their places may show: a
// repeated refresh answers the same pair, a cookie is set again.
func merged(all []canary) (out []canary) {
	at := map[string]int{}
	for _, c := range all {
		i, known := at[c.value]
		if !known {
			at[c.value] = len(out)
			out = append(out, c)
			continue
		}
		first, second := out[i].allowed, c.allowed
		out[i].allowed = func(name string) bool { return first != nil && first(name) || second != nil && second(name) }
	}
	return out
}

// found returns where a canary is that must not be.
func found(places []place, canaries []canary) (findings []string) {
	run := regexp.MustCompile(`[0-9]+`)
	written := make([]map[string]string, len(canaries))
	for i, c := range canaries {
		written[i] = forms(c.value)
	}
	for _, p := range places {
		var runs []string
		for i, c := range canaries {
			if c.allowed != nil && c.allowed(p.name) {
				continue
			}
			if c.digits {
				if runs == nil {
					runs = append(run.FindAllString(p.text, -1), "")
				}
				if slices.Contains(runs, c.value) {
					findings = append(findings, c.kind+" in "+p.name)
				}
				continue
			}
			for form, value := range written[i] {
				if strings.Contains(p.text, value) {
					findings = append(findings, c.kind+", "+form+", in "+p.name)
				}
			}
		}
	}
	return findings
}

// forms are ways to write a secret down, alone or in the middle of something,
// and the beginning and the end of one that is long.
func forms(value string) map[string]string {
	all := map[string]string{
		"plain":      value,
		"hex":        hex.EncodeToString([]byte(value)),
		"upper hex":  strings.ToUpper(hex.EncodeToString([]byte(value))),
		"URL query":  url.QueryEscape(value),
		"URL path":   url.PathEscape(value),
		"HTML":       html.EscapeString(value),
		"Go or JSON": strings.Trim(strconv.Quote(value), `"`),
		"backwards":  backwards(value),
	}
	for shift := range 3 { // base64 writes three bytes at a time: a secret in a text begins at any of them
		for name, encoding := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64url": base64.RawURLEncoding} {
			text := encoding.EncodeToString([]byte(strings.Repeat("x", shift) + value))
			all[fmt.Sprint(name, " at ", shift)] = text[(shift*8+5)/6 : (shift+len(value))*8/6]
		}
	}
	if len(value) >= 40 {
		all["its beginning"], all["its end"] = value[4:20], value[len(value)-16:]
	}
	maps.DeleteFunc(all, func(form, text string) bool { return text == value && form != "plain" })
	return all
}

func backwards(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}

// files are the raw bytes of everything in the data directory, but the mails.
func (h *house) files(t testing.TB) (all []place) {
	t.Helper()
	err := filepath.WalkDir(h.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) == ".eml" {
			return err
		}
		text, err := os.ReadFile(path)
		all = append(all, place{"file " + filepath.Base(path), string(text)})
		return err
	})
	if err != nil || len(all) < 4 {
		t.Fatalf("%d files: %v", len(all), err)
	}
	return all
}

// mails are all mails, as they are and decoded.
func (h *house) mails(t testing.TB) (all []place) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(h.dir, "mail", "*", "*.eml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no mails: %v", err)
	}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		m, err := mail.ReadMessage(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		text := string(raw)
		_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
		if err != nil {
			t.Fatal(err)
		}
		for parts := multipart.NewReader(m.Body, params["boundary"]); ; {
			part, err := parts.NextRawPart()
			if err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			decoded := io.Reader(part)
			switch strings.ToLower(part.Header.Get("Content-Transfer-Encoding")) {
			case "base64":
				decoded = base64.NewDecoder(base64.StdEncoding, part)
			case "quoted-printable":
				decoded = quotedprintable.NewReader(part)
			}
			b, err := io.ReadAll(decoded)
			if err != nil {
				t.Fatal(err)
			}
			text += "\n" + string(b)
		}
		all = append(all, place{"mail " + filepath.Base(filepath.Dir(path)) + "/" + filepath.Base(path), text})
	}
	return all
}

// dump is every row of every table of a database, blobs in hex.
func (h *house) dump(t testing.TB, file string) (all []place) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(h.dir, file))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, table := range texts(t, db, "SELECT name FROM sqlite_master WHERE type = 'table'") {
		all = append(all, place{"table " + table, strings.Join(texts(t, db, `SELECT * FROM "`+table+`"`), "\n")})
	}
	return all
}

func texts(t testing.TB, db *sql.DB, query string) (lines []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		line := make([]string, len(values))
		for i, v := range values {
			line[i] = fmt.Sprint(v)
			if b, ok := v.([]byte); ok {
				line[i] = hex.EncodeToString(b)
			}
		}
		lines = append(lines, strings.Join(line, "|"))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

// derived are the digits of every challenge that the store knows, and hashes of
// them that need no secret.
func (h *house) derived(t testing.TB) (all []canary) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(h.dir, "foyer.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, row := range texts(t, db, "SELECT id, key_id, digits, grant_id, email FROM foyer_challenges") {
		of := strings.Split(row, "|")
		digits, ok := h.kit.keys.OneTimeCode(of[1], of[0], map[string]int{"6": 6, "8": 8}[of[2]])
		if !ok {
			t.Fatalf("no key for challenge %s", row)
		}
		all = append(all, canary{kind: "digits", value: digits.Reveal(), digits: true,
			allowed: func(name string) bool { return strings.HasPrefix(name, "mail "+url.PathEscape(of[4])+"/") }})
		link, _ := h.kit.keys.LinkToken(of[1], of[0])
		_, secret, _ := strings.Cut(link.Reveal(), ".") // the other half is the ID
		all = append(all, canary{kind: "link of a mail", value: secret, allowed: func(name string) bool { return strings.HasPrefix(name, "mail "+url.PathEscape(of[4])+"/") }})
		for _, salt := range []string{"", of[0], of[3], of[4]} {
			for _, text := range []string{salt + digits.Reveal(), digits.Reveal() + salt, salt + ":" + digits.Reveal()} {
				s256, s1, m5 := sha256.Sum256([]byte(text)), sha1.Sum([]byte(text)), md5.Sum([]byte(text))
				all = append(all, canary{kind: "a hash of digits", value: string(s256[:])}, canary{kind: "a hash of digits", value: string(s1[:])},
					canary{kind: "a hash of digits", value: string(m5[:])})
			}
		}
	}
	if len(all) == 0 {
		t.Fatal("no challenges")
	}
	return all
}

// planted adds a tool that does what no handler should.
func planted(h *house) {
	log := slog.New(slog.NewTextHandler(h.log, nil))
	mcp.AddTool(h.server, &mcp.Tool{Name: "planted"}, func(ctx context.Context, req *mcp.CallToolRequest, _ struct{}) (*mcp.CallToolResult, any, error) {
		log.InfoContext(ctx, "planted", "header", req.Extra.Header)
		return &mcp.CallToolResult{}, nil, nil
	})
	mcp.AddTool(h.server, &mcp.Tool{Name: "bursting"}, func(_ context.Context, req *mcp.CallToolRequest, _ struct{}) (*mcp.CallToolResult, any, error) {
		panic(req.Extra.Header.Get("Authorization"))
	})
}

func withPlanted(cfg *Config) {
	tools := gate.Rules{"planted": gate.Anyone(), "bursting": gate.Anyone()}
	for name, rule := range cfg.Tools {
		tools[name] = rule
	}
	cfg.Tools = tools
}
