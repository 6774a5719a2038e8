package foyer

import (
	"net/http"
	"strings"
	"testing"

	"example.com/foyer/internal/words"
)

// Pages are in the language of the browser, and mails in that of the browser in which
// the person is, or that their client was connected by.
func TestPagesAndMailsAreInTheLanguageOfTheBrowser(t *testing.T) {
	h := newHouse(t)
	b := h.browser(t)
	b.language = "de-AT, en;q=0.5"
	g := b.guest(t, h.client(t, "Claude"))
	g.signIn(t, "ann@example.com")
	if text := h.mail(t, "ann@example.com"); !strings.Contains(text, "Geben Sie diesen Code Ihrem Assistenten:") || !strings.Contains(text, "„Claude“") {
		t.Errorf("the mail for the chat:\n%s", text)
	}
	page := b.open(t, "/account")
	wantsPage(t, "the account", page, http.StatusOK, "<h1>Anmelden</h1>", "E-Mail-Adresse")
	page = b.signsIn(t, page, "bob@example.com")
	if text := h.mail(t, "bob@example.com"); !strings.Contains(text, "Geben Sie diesen Code auf dieser Seite ein:") {
		t.Errorf("the mail for the page:\n%s", text)
	}
	wantsPage(t, "what is connected", page, http.StatusOK, "Verbundene Apps", "Keine App kann bei Journal für Sie handeln.", "21.11.2026, ")
	if !strings.Contains(page.body, `<html lang="de">`) {
		t.Error(page.body)
	}
	b.language = "fr"
	wantsPage(t, "in a language that we do not speak", b.open(t, "/account"), http.StatusOK, "<h1>Connected apps</h1>")
}

// An operator has other words, other languages, and scopes in them.
func TestOperatorsAddLanguages(t *testing.T) {
	h := newHouse(t, func(cfg *Config) {
		cfg.Languages = map[string]map[string]string{"fr": {"Connected apps": "Applications connectées"}, "de": {"Connected apps": "Was verbunden ist"}}
		cfg.Scopes[0].WordsIn = map[string]string{"fr": "Écrire dans votre journal"}
	})
	h.chat(t, "Claude", "ann@example.com")
	b := h.browser(t)
	b.signsIn(t, b.open(t, "/account"), "ann@example.com")
	for language, want := range map[string][]string{"en": {"<h1>Connected apps</h1>"}, "fr": {"<h1>Applications connectées</h1>", "Écrire dans votre journal", "Disconnect “Claude”"}, "de": {"<h1>Was verbunden ist</h1>", "„Claude“ trennen"}} {
		b.language = language
		wantsPage(t, language, b.open(t, "/account"), http.StatusOK, want...)
	}
	cfg := h.kit.cfg
	cfg.Languages = map[string]map[string]string{"fr": {"Connected apps {x}": "x"}}
	if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), `Languages: fr: "Connected apps {x}" is no sentence of any page`) {
		t.Errorf("what no page says: %v", err)
	}
	if all := Sentences(); len(all) < 200 || len(all) != len(words.Sentences()) {
		t.Errorf("%d sentences", len(all))
	}
}
