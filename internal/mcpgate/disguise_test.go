package mcpgate_test

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"example.com/foyer/gate"
	"example.com/foyer/store"
)

// No header, key, case, batch or encoding changes a decision. Whatever is done to
// a request: what runs is the item that it named, if anything; it runs with
// arguments and for a caller whom the rule allows it; and of an item that is
// hidden from the caller every answer is, byte for byte, that about an unknown
// name. The middleware alone lets nothing more through. (T67, T68, T70, R-103)
func TestNoDisguiseChangesADecision(t *testing.T) {
	r := newRoom(t)
	strong := r.user("write", "export") // may do everything that a rule can ask for
	r.change(strong, func(b *store.Bearer) {
		b.User.Roles, b.Grant.Level, b.Grant.AuthTime = []string{"admin", "owner"}, "oidc", r.now()
	})
	var all outcomes
	rapid.Check(t, func(rt *rapid.T) {
		token := ""
		b := newBooth(rt, r, drawRuleAboutArguments(rt))
		if rapid.IntRange(0, 4).Draw(rt, "has a token") > 0 {
			token = r.drawCaller(rt)
		}
		who := b.caller(rt, token)
		for range 20 {
			f, told := drawForgery(rt, token, strong)
			b.try(rt, who, f, told, &all)
		}
	})
	if t.Logf("%+v", all); all.ran == 0 || all.refused == 0 || all.hidden == 0 {
		t.Error("the draws prove nothing")
	}
}

// Outcomes count what became of forgeries.
type outcomes struct{ ran, refused, hidden int }

// drawRuleAboutArguments draws any rule, and often one that minds the arguments.
func drawRuleAboutArguments(t *rapid.T) gate.Rule {
	rule := drawRule(t)
	switch pick(t, "minds arguments", "not", "allows one", "refuses one") {
	case "allows one":
		return rule.When(func(_ gate.Caller, arguments map[string]any) bool { return arguments["amount"] == "small" })
	case "refuses one":
		return rule.When(func(_ gate.Caller, arguments map[string]any) bool { return arguments["amount"] != "large" })
	}
	return rule
}

// drawForgery draws a plain request and up to three disguises of it, and says
// which.
func drawForgery(t *rapid.T, token, strong string) (f *forgery, told string) {
	version := pick(t, "version", modern, older, "2025-03-26")
	p := rapid.SampledFrom(plains).Draw(t, "request")
	f = p.forge(version, token, pick(t, "amount", "small", "large"))
	told = p.method + " in " + version + ", disguised by"
	all := disguises
	if p.uri != "" {
		all = slices.Concat(all, inURIs, inURIs, inURIs)
	}
	for range rapid.IntRange(0, 3).Draw(t, "disguises") {
		d := rapid.SampledFrom(all).Draw(t, "disguise")
		d.apply(t, f, strong)
		told += " " + d.name + ","
	}
	return f, told
}

// try sends a forgery of who, and fails where it has changed a decision.
func (b *booth) try(t *rapid.T, who gate.Caller, f *forgery, told string, all *outcomes) {
	at := b.entrance(f.token)
	w, runs := b.ask(at.guarded, f.request(digits, digits))
	about := fmt.Sprintf("%v\n%s\n%v\n%.500s\n%s", b.rule, told, f.header, f.body(), shown(w))
	asked, names := target, []string{target}
	if strings.Contains(f.body(), twin) {
		asked, names = twin, []string{twin}
	}
	if f.batch {
		names = append(names, "public")
	}
	b.check(t, who, runs, about, names...)
	switch all.ran += len(runs); {
	case len(runs) == 1 && runs[0].item == "public" && !f.list:
		t.Errorf("part of a batch ran: %s", about)
	case len(runs) == 0 && !f.list && strings.Contains(w.Body.String(), `"result":{`) && !strings.Contains(w.Body.String(), `"isError":true`):
		t.Errorf("nothing ran, and no refusal says so: %s", about)
	case len(runs) == 0:
		all.refused++
	}
	_, runs = b.ask(at.alone, f.request(digits, digits))
	b.check(t, who, runs, "the middleware alone: "+about, target, twin, "public") // of a key that comes twice it reads one
	if !b.hides(who) || asked == twin {
		return
	}
	all.hidden++
	if f.list {
		if strings.Contains(shown(w), target) {
			t.Errorf("what is hidden is listed: %s", about)
		}
		return
	}
	unknown, _ := b.ask(at.guarded, f.request(digits, unheard))
	if got, want := strings.ReplaceAll(shown(w), digits, unheard), shown(unknown); got != want {
		t.Errorf("what is hidden is told from what is unknown, of which is said\n%s\n%s", want, about)
	}
}

// check fails where another item than those of names ran, or what the rule refuses
// who.
func (b *booth) check(t *rapid.T, who gate.Caller, runs []run, about string, names ...string) {
	t.Helper()
	for _, run := range runs {
		switch {
		case run.caller.GrantID != who.GrantID || run.caller.UserID != who.UserID:
			t.Errorf("ran for another caller: %s", about)
		case !slices.Contains(names, run.item):
			t.Errorf("%q ran: %s", run.item, about)
		case run.item == target && !b.allows(who, run.arguments):
			t.Errorf("ran with %v, which the rule refuses: %s", run.arguments, about)
		}
	}
}

// shown is what a client sees of an answer. A batch is answered in any order.
func shown(w *httptest.ResponseRecorder) string {
	lines := strings.Split(w.Body.String(), "\n")
	slices.Sort(lines)
	return fmt.Sprint(w.Code, w.Header(), lines)
}
