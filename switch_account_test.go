package foyer

import (
	"strings"
	"testing"

	"example.com/foyer/internal/words"
)

// switchTo calls switch_account with a client that can ask, and gives answer. It
// returns what was asked and what was told.
func (g *guest) switchTo(t *testing.T, email, answer string) (question, told string) {
	t.Helper()
	return g.answers(t, `"name":"switch_account","arguments":{"email":"`+email+`"}`, "switch", answer)
}

// tr13: who wants another account is asked, signed out, and mailed; a no changes
// nothing, and nothing is taken along. (T20)
func TestTr13WhoSwitchesAccountsIsAskedFirst(t *testing.T) {
	h := newHouse(t)
	g := h.guest(t)
	g.call(t, "validate_token", `{"code":"`+g.digits(t, "ann@example.com")+`"}`)
	g.draft(t, "Ann's own.")
	for name, answer := range map[string]string{"no": `{"action":"accept","content":{"switch":false}}`, "a decline": `{"action":"decline"}`} {
		question, told := g.switchTo(t, "bob@example.com", answer)
		if !strings.Contains(question, "Sign a***@example.com out of Journal in this chat, and mail a one-time code to b***@example.com to sign in there?") || !strings.Contains(told, "declined") {
			t.Errorf("%s: %s\n%s", name, question, told)
		}
		if a := g.call(t, "whoami", ""); a.data["as"] != "a***@example.com" {
			t.Errorf("after %s: %s", name, a.raw)
		}
	}
	if _, told := g.switchTo(t, "bob@example.com", `{"action":"accept","content":{"switch":true}}`); !strings.Contains(told, "Signed a***@example.com out. A mail is on its way to b***@example.com") {
		t.Errorf("a yes: %s", told)
	}
	if mine := g.drafts(t); len(mine) != 0 {
		t.Errorf("the new guest has %q", mine)
	}
	if a := g.call(t, "validate_token", `{"code":"`+digitsIn(t, g.mail(t, "bob@example.com"))+`"}`); a.isError || a.data["kept_as_guest"] != nil {
		t.Errorf("the digits: %s", a.raw)
	}
	if a := g.call(t, "whoami", ""); a.data["as"] != "b***@example.com" {
		t.Errorf("after the switch: %s", a.raw)
	}
	if a := g.call(t, words.SwitchAccount, `{"email":"ann@example.com"}`); a.isError || !strings.Contains(a.text, "Signed b***@example.com out.") {
		t.Errorf("a client that cannot ask: %s", a.raw)
	}
}
