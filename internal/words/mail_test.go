package words

import (
	"html"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 21, 15, 3, 0, 0, time.FixedZone("CET", 3600))

func codeMail(clientName string) CodeMail {
	return CodeMail{App: "Notes", Client: ClientName(clientName), Where: Place("app.example", false), Email: "ann@example.com",
		Code: "048291", Time: noon, Lives: 10 * time.Minute, Scopes: []Text{As("Write and delete your notes"), As("Take a copy of <all> your notes")}, Link: "https://notes.example/claim/ID.mac-_0"}
}

func connectedMail(clientName string) ConnectedMail {
	return ConnectedMail{App: "Notes", Client: ClientName(clientName), Where: Place("app.example", false), Email: "ann@example.com", Time: noon, Approved: Approval("mail"),
		Scopes: []Text{As("Write and delete your notes"), As("Take a copy of <all> your notes")}, Disconnect: "https://notes.example/disconnect/sealed-_0", Account: "https://notes.example/account"}
}

// Each golden file is a whole mail: subject, text, HTML.
func TestMailsReadAsTheyShould(t *testing.T) {
	odd := codeMail("<b onclick=\"x()\">Claude</b>\r\nBcc: eve@example.com\x00\u202e“”\"" + strings.Repeat("a", 10_000))
	odd.App, odd.Where, odd.Email = `Tom & Jerry's <Notes>`, Place("127.0.0.1:33418", true), "o'brien&co@example.com"
	bare := codeMail("")
	bare.Scopes = nil
	reused := ReusedMail{App: "Notes", Client: ClientName("Inspector"), Where: Place("app.example", false), Email: "ann@example.com", Time: noon}
	leaving := LeavingMail{App: "Notes", Email: "ann@example.com", Account: "https://notes.example.com/account", Asked: noon, Until: noon.AddDate(0, 0, 7)}
	oddLeaving := leaving
	oddLeaving.App = "<b>Notes</b>"
	oddReused := reused
	oddReused.App, oddReused.Client, oddReused.Email = odd.App, odd.Client, odd.Email
	oddConnected := connectedMail("")
	oddConnected.App, oddConnected.Client, oddConnected.Where, oddConnected.Email, oddConnected.Scopes = odd.App, odd.Client, odd.Where, odd.Email, nil
	for name, letter := range map[string]interface{ Letter() Letter }{
		"connected": connectedMail("Inspector"), "connected-odd": oddConnected,
		"code": codeMail("Inspector"), "code-odd": odd, "code-bare": bare, "leaving": leaving, "leaving-odd": oddLeaving, "reused": reused, "reused-odd": oddReused,
	} {
		for _, l := range []*Language{English, standard.Best("de")} {
			m, err := l.Write(letter.Letter())
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name+"-"+l.Tag+".mail", "Subject: "+m.Subject+"\n\n"+m.Text+"\n"+m.HTML)
		}
	}
}

// golden compares got with a file, which it writes anew where the test runs with
// GOLDEN=write.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("GOLDEN") == "write" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
	}
}

// T10: who is told that an app acts for them learns which, when, how and for what, and
// whatever the app calls itself, no line is digits alone: nobody takes it for a code.
func TestT10TheNoticeSaysWhoIsConnectedAndBringsNoDigits(t *testing.T) {
	for _, client := range []string{"Inspector", "482913", "\n482913\n", "482913\r\n", "x\u2028482913\u2029", "x\v482913\f", strings.Repeat("x", 28) + " 482913 " + strings.Repeat("y", 28)} {
		m, err := English.Write(connectedMail(client).Letter())
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{strings.Join(strings.Fields(m.Text), " "), html.UnescapeString(m.HTML)} {
			for _, want := range []string{"ann@example.com", ClientName(client).String(), "app.example", "21 November 2026, 14:03 UTC", "in the chat, with the code from a mail",
				"Write and delete your notes", "https://notes.example/disconnect/sealed-_0", "https://notes.example/account"} {
				if !strings.Contains(part, want) {
					t.Errorf("no %q in\n%s", want, part)
				}
			}
		}
		for _, line := range strings.FieldsFunc(m.Text, func(r rune) bool { return strings.ContainsRune("\n\r\v\f\u0085\u2028\u2029", r) }) {
			if line = strings.TrimSpace(line); line != "" && strings.Trim(line, "0123456789") == "" {
				t.Errorf("%q: a line of digits alone: %s", client, line)
			}
		}
		if strings.Contains(m.Subject, ClientName(client).String()) {
			t.Errorf("a client has chosen the subject %s", m.Subject)
		}
	}
}

func TestT10TheCodeMailSaysWhoAsksAndForWhat(t *testing.T) {
	m, err := English.Write(codeMail("Inspector").Letter())
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{m.Text, html.UnescapeString(m.HTML)} {
		for _, want := range []string{"ann@example.com", "“Inspector”", "app.example", "21 November 2026, 14:03 UTC", "10 minutes", "Write and delete your notes",
			"Take a copy of <all> your notes", "ignore this mail", "Never give the code to a person"} {
			if !strings.Contains(part, want) {
				t.Errorf("no %q in\n%s", want, part)
			}
		}
	}
}

func TestTheCodeStandsAloneOnOneLineOfTheText(t *testing.T) {
	for _, client := range []string{"Inspector", "482913", "\n482913\n", "482913\r\n", "x\u2028482913\u2029", "x\v482913\f", "x\u0085482913\u0085"} {
		letter := codeMail(client)
		m, err := English.Write(letter.Letter())
		if err != nil {
			t.Fatal(err)
		}
		var alone []string
		for _, line := range strings.FieldsFunc(m.Text, func(r rune) bool { return strings.ContainsRune("\n\r\v\f\u0085\u2028\u2029", r) }) {
			if line = strings.TrimSpace(line); line != "" && strings.Trim(line, "0123456789") == "" {
				alone = append(alone, line)
			}
		}
		if len(alone) != 1 || alone[0] != letter.Code || strings.Contains(m.Subject, letter.Code) {
			t.Errorf("%q: digits alone are %q, subject %q", client, alone, m.Subject)
		}
	}
}

// Nobody learns that a mail was read. What it links to are the pages that it has to.
func TestT63MailsLinkToOurPagesAloneAndLoadNothing(t *testing.T) {
	const evil = "“https://evil.example/claim”"
	code, connected := codeMail(evil), connectedMail(evil)
	for _, c := range []struct {
		letter interface{ Letter() Letter }
		links  []string
	}{
		{code, []string{code.Link}},
		{connected, []string{connected.Disconnect, connected.Account}},
		{BrowserMail{App: "Notes", Time: noon}, nil},
		{ReusedMail{App: "Notes", Time: noon}, nil},
	} {
		m, err := English.Write(c.letter.Letter())
		if err != nil {
			t.Fatal(err)
		}
		m.Text, m.HTML = strings.ReplaceAll(m.Text, evil, ""), strings.ReplaceAll(m.HTML, evil, "")
		for _, link := range c.links {
			if strings.Count(m.Text, "\n"+link+"\n") != 1 || strings.Count(m.HTML, `<a href="`+link+`" target="_blank" rel="noreferrer">`) != 1 {
				t.Errorf("no link %s in\n%s\n%s", link, m.Text, m.HTML)
			}
			m.Text, m.HTML = strings.Replace(m.Text, link, "", 1), strings.Replace(m.HTML, `<a href="`+link+`"`, "", 1)
		}
		for _, bad := range []string{"http", "href", "src=", "<img", "<script", "<link", "url(", "@import"} {
			if strings.Contains(strings.ToLower(m.Text+m.HTML), bad) {
				t.Errorf("a mail has %q:\n%s\n%s", bad, m.Text, m.HTML)
			}
		}
	}
}

func TestT64ClientsAreCalledByATamedName(t *testing.T) {
	for _, c := range []struct{ sentence, name, want string }{
		{"a plain name", "Inspector", "“Inspector”"},
		{"no name", "", "an app without a name"},
		{"only spaces", " \t\u3000\u00a0", "an app without a name"},
		{"only what cannot be seen", "\u200b\u202e\x00\ufeff", "an app without a name"},
		{"spaces around and between", "  My \t  App ", "“My App”"},
		{"line breaks", "App\r\nBcc: eve@example.com", "“App Bcc: eve@example.com”"},
		{"line breaks of Unicode", "App\u2028one\u2029two\u0085three", "“App one two three”"},
		{"control characters", "A\x00p\x1b[31mp\x7f", "“Ap[31mp”"},
		{"overrides of direction", "App\u202egpj.exe\u202c", "“Appgpj.exe”"},
		{"isolates of direction", "\u2066App\u2069\u200f\u061c", "“App”"},
		{"zero widths", "A\u200bp\u200dp\ufeff\u2060", "“App”"},
		{"a soft hyphen", "Ap\u00adp", "“App”"},
		{"tag characters", "App\U000e0041\U000e0042", "“App”"},
		{"a private use character", "App\ue000", "“App”"},
		{"quotation marks that would end the name", `App", at claude.ai`, "“App, at claude.ai”"},
		{"curly ones", "App”, at claude.ai “", "“App, at claude.ai”"},
		{"those of other languages", "«App» „App‟ 「App」 〝App〞 ＂App＂", "“App App App App App”"},
		{"what looks like them", "App″ App‶ Appʺ App˝ App״ App〃", "“App App App App App App”"},
		{"an apostrophe", "Bob's and Ann’s app", "“Bob's and Ann’s app”"},
		{"HTML, which the mail escapes", "<b>App</b>&amp;", "“<b>App</b>&amp;”"},
		{"letters of other scripts", "Блокнот ノート", "“Блокнот ノート”"},
		{"an emoji", "Notes 📝", "“Notes 📝”"},
		{"sixty-four letters", strings.Repeat("é", 64), "“" + strings.Repeat("é", 64) + "”"},
		{"sixty-five", strings.Repeat("é", 65), "“" + strings.Repeat("é", 63) + "…”"},
		{"ten thousand", strings.Repeat("a", 10_000), "“" + strings.Repeat("a", 63) + "…”"},
		{"bytes that are no text", "App\xff\xc0\x8a", "“App���”"},
	} {
		if got := ClientName(c.name).String(); got != c.want {
			t.Errorf("%s: ClientName(%.60q) = %q, want %q", c.sentence, c.name, got, c.want)
		}
	}
}

// Whatever a client calls itself, it stays between the quotation marks, on one
// line, and the HTML has no element that the template has not.
func TestT64NoNameLeavesItsQuotationMarks(t *testing.T) {
	elements := func(name string) int {
		m, err := English.Write(codeMail(name).Letter())
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(m.HTML, "<")
	}
	plain := elements("x")
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.OneOf(rapid.String(), rapid.StringMatching(`[<>"'&“”\r\n\x{202a}-\x{202e}a-c ]{0,40}`)).Draw(t, "name")
		got := ClientName(name).String()
		inner, quoted := strings.CutPrefix(strings.TrimSuffix(got, "”"), "“")
		switch {
		case !quoted && got != "an app without a name":
			t.Fatalf("%q has no quotation marks", got)
		case strings.ContainsAny(inner, "“”\"\n\r") || strings.ContainsFunc(inner, func(r rune) bool { return !unicode.IsPrint(r) }):
			t.Fatalf("ClientName(%q) = %q", name, got)
		case len([]rune(inner)) > 64:
			t.Fatalf("ClientName(%q) has %d letters", name, len([]rune(inner)))
		case elements(name) != plain:
			t.Fatalf("%q adds elements to the HTML", name)
		}
	})
}

func TestClientsAreSomewhere(t *testing.T) {
	if got := Place("app.example", false).String(); got != "at app.example" {
		t.Error(got)
	}
	if got := Place("127.0.0.1:33418", true).String(); got != "on the device where it was set up (127.0.0.1:33418)" {
		t.Error(got)
	}
}
