package foyer

import (
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"example.com/foyer/audit"
	"example.com/foyer/gate"
	"example.com/foyer/internal/oauth"
	"example.com/foyer/mail"
	"example.com/foyer/store"
)

// Config configures a [Kit]. Fields without "Optional" are required.
type Config struct {
	// Issuer is the public URL of the server: https, or http on localhost,
	// 127.0.0.1 or [::1], and a host, without a path. It becomes the issuer
	// (RFC 8414 section 2) and part of the audience of every token, so changing
	// it signs everyone out.
	Issuer string

	// Secrets derive one-time codes and refresh tokens, and seal authorization
	// codes. Each has at least 32 bytes. The first signs, all verify: to change
	// them, put a new one in front and take the old one away a day later. Neither
	// signs anyone out, but for a client that has lost the answer of a refresh
	// and did not ask again meanwhile: it connects anew, unless the old secret
	// stays for Lifetimes.RefreshIdle. Taken away at once, the old one also takes
	// the codes, mailed digits, open pages and questions along, all of which live
	// for ten minutes at most, and the audit trail cannot be sealed or verified until
	// it is back. Keep them outside of the database: together with
	// it they let their holder act as every client. Where a resource server takes
	// JWTs, and SigningKeys are empty, they alone let their holder make tokens of
	// anybody for it.
	Secrets []string

	// Store remembers clients, grants, tokens and users. It stays yours: close
	// it after the kit.
	Store store.Store

	// Mail delivers one-time codes.
	Mail mail.Sender

	// Brand is what people see of you. Optional.
	Brand Brand

	// Identity is how people sign in in their browser, where that is not by mailed
	// digits. Optional.
	Identity *Identity

	// Consent writes the page that asks a user whether a client may act for them, in the
	// place of ours. Who has allowed all of it before, in the same browser, at the same
	// host, does not get to it. Who comes to it, and what comes back, is checked as ever. Headers
	// are set so that it is not framed, and loads from the issuer alone. Optional.
	Consent func(http.ResponseWriter, *http.Request, Consent)

	// Languages are what people read on pages and in mails in other languages than
	// ours, which are English and German, or instead of our words: by tag (BCP 47),
	// and by the English sentences that [Sentences] lists. What is missing is said
	// in English. A page is in the language that the browser asks for. Optional.
	Languages map[string]map[string]string

	// Scopes that a client may be given, in the order in which people read them.
	// Optional.
	Scopes gate.Scopes

	// Levels are the ways in which users are authenticated, from the weakest to
	// the strongest, for [gate.Rule.Level]. The kit gives "chat". Optional; empty
	// means gate.StandardLevels.
	Levels gate.Levels

	// Tools says who may call which tool. An item without a rule, and a rule
	// without an item, are errors of [Kit.Handler].
	Tools gate.Rules

	// Resources says who may read which resource, by URI, and the resources of
	// which template, by URI template. Of several templates that match a URI,
	// each must allow it. Optional for a server without resources.
	Resources gate.Rules

	// Prompts says who may get which prompt. Optional for a server without
	// prompts.
	Prompts gate.Rules

	// Decider is a policy that is asked about what the tables allow, and can take it
	// away. A fault of it denies. Optional.
	Decider gate.Decider

	// GuestData is what the application keeps for guests, if it does. Users are
	// then offered to take it along when they sign in. Optional.
	GuestData GuestData

	// UserData is what the application keeps for its users: users can then take a copy
	// of it, and have it deleted, on the account page. Without it they can do both with
	// what the kit keeps alone. Optional.
	UserData UserData

	// Endpoints are where the server is. Each is a protected resource with an
	// audience of its own, and the first is meant where a client names none.
	// Optional; empty means one at /mcp.
	Endpoints []Endpoint

	// MetadataDocuments says which clients may be known by a metadata document,
	// without registering. Optional; zero means all.
	MetadataDocuments MetadataDocuments

	// ResourceServers serve protected resources elsewhere with tokens of this
	// authorization server. Optional.
	ResourceServers []ResourceServer

	// SigningKeys sign the JWTs of those resource servers that take them. Each is
	// an [*rsa.PrivateKey] of at least 2048 bits, an [*ecdsa.PrivateKey] on P-256
	// or an [ed25519.PrivateKey]. The first signs, all are published: to change
	// them, put a new one behind, in front ten minutes later, and take the old one
	// away when the last token that it signed has expired. Optional; empty means a
	// key on P-256 derived from each of Secrets.
	SigningKeys []crypto.Signer

	// Clients are applications that you know, and that need not register. Optional.
	Clients []Client

	// Registration says which others may register by themselves. Optional; the
	// zero value lets anybody.
	Registration Registration

	// Lifetimes of codes, tokens and grants. Optional; each zero field has its
	// default.
	Lifetimes Lifetimes

	// CallsPerMinute is how many messages a minute each grant may send to the
	// endpoints, and each address without a token. A quiet one may send that many
	// at once. More are answered by 429. Optional; 0 means 1,200.
	CallsPerMinute int

	// TrustedProxies are the networks of the reverse proxies in front of the
	// server, whose X-Forwarded-For is believed. Optional; empty believes
	// nobody, and takes the peer of the connection for the client.
	TrustedProxies []netip.Prefix

	// Origins are the origins of web pages that may call the endpoints from a
	// browser, such as "https://inspector.example.com". The issuer's own may;
	// so may pages on this device while Issuer is on it. Optional.
	Origins []string

	// Hooks are told what happens. None can fail or delay a request. Optional.
	Hooks audit.Hooks

	// Log gets one record for each fault, and none for refusals. Optional; nil
	// means slog.Default. No record holds a secret.
	Log *slog.Logger

	// DangerouslyExemptLoopback lifts the limits by client address, and the
	// global ones, for clients on this device. Behind a proxy on this device
	// without TrustedProxies that is everybody. Optional; for demos.
	DangerouslyExemptLoopback bool

	// DangerouslyNoLimits lifts every limit but the five attempts of a one-time
	// code. Optional; for load tests.
	DangerouslyNoLimits bool
}

// Lifetimes say how long things live. A zero field means its default.
type Lifetimes struct {
	Code        time.Duration // of an authorization code; 1 minute
	Access      time.Duration // of an access token; 1 hour
	RefreshIdle time.Duration // of a user's grant from its last refresh; 30 days
	Absolute    time.Duration // of any grant; 90 days
	GuestIdle   time.Duration // of a guest's grant from its last refresh; 24 hours, and 7 days with Config.GuestData
	Overlap     time.Duration // in which a redeemed refresh token gets the same answer again; 1 minute
	OneTimeCode time.Duration // of mailed digits; 10 minutes, which is also the most
	ClientIdle  time.Duration // of a registration from its last use; 90 days, and 24 hours for one that was never used
	Browser     time.Duration // of what a browser remembers; 30 days
	Audit       time.Duration // of what the audit trail says; 90 days
}

const (
	day            = 24 * time.Hour
	maxOneTimeCode = 10 * time.Minute // NIST SP 800-63B-4 section 3.1.3.2
	unusedClient   = day
	callsPerMinute = 1200
)

// withDefaults fills in what is zero. guestData says that guests have something
// to lose.
func (l Lifetimes) withDefaults(guestData bool) Lifetimes {
	guestIdle := day
	if guestData {
		guestIdle = 7 * day
	}
	for _, field := range []struct {
		value    *time.Duration
		standard time.Duration
	}{
		{&l.Code, time.Minute}, {&l.Access, time.Hour}, {&l.RefreshIdle, 30 * day}, {&l.Absolute, 90 * day}, {&l.GuestIdle, guestIdle},
		{&l.Overlap, time.Minute}, {&l.OneTimeCode, maxOneTimeCode}, {&l.ClientIdle, 90 * day}, {&l.Browser, 30 * day}, {&l.Audit, 90 * day},
	} {
		if *field.value == 0 {
			*field.value = field.standard
		}
	}
	return l
}

func (l Lifetimes) check() error {
	var problems []error
	for name, d := range map[string]time.Duration{"Code": l.Code, "Access": l.Access, "RefreshIdle": l.RefreshIdle, "Absolute": l.Absolute,
		"GuestIdle": l.GuestIdle, "Overlap": l.Overlap, "OneTimeCode": l.OneTimeCode, "ClientIdle": l.ClientIdle, "Browser": l.Browser, "Audit": l.Audit} {
		if d < 0 {
			problems = append(problems, fmt.Errorf("Lifetimes.%s: %v is negative", name, d))
		}
	}
	if l.ClientIdle != 0 && l.ClientIdle < 2*day {
		problems = append(problems, fmt.Errorf("Lifetimes.ClientIdle: %v is less than 48h, and use is noted once a day", l.ClientIdle))
	}
	if l.OneTimeCode > maxOneTimeCode {
		problems = append(problems, fmt.Errorf("Lifetimes.OneTimeCode: %v is more than %v", l.OneTimeCode, maxOneTimeCode))
	}
	return errors.Join(problems...)
}

// confirms reports whether a rule asks for a confirmation.
func (cfg *Config) confirms() bool {
	for _, rule := range cfg.Tools {
		if rule.Confirms() > gate.NotConfirmed {
			return true
		}
	}
	return false
}

// calls is the limit of messages a minute; 0 for none.
func (cfg *Config) calls() int {
	switch {
	case cfg.DangerouslyNoLimits:
		return 0
	case cfg.CallsPerMinute == 0:
		return callsPerMinute
	}
	return cfg.CallsPerMinute
}

func (cfg *Config) levels() gate.Levels {
	if len(cfg.Levels) == 0 {
		return gate.StandardLevels
	}
	return cfg.Levels
}

// check returns everything that is wrong with cfg, not only the first thing.
func (cfg *Config) check() error {
	problems := []error{checkIssuer(cfg.Issuer), cfg.Lifetimes.check(), cfg.Scopes.Check(), cfg.levels().Check(), cfg.checkEndpoints(), cfg.checkResourceServers(), cfg.MetadataDocuments.check(), cfg.Registration.check(), cfg.Identity.check(cfg)}
	if cfg.CallsPerMinute < 0 {
		problems = append(problems, fmt.Errorf("CallsPerMinute: %d is negative", cfg.CallsPerMinute))
	}
	if cfg.Store == nil {
		problems = append(problems, errors.New("Store: missing; use sqlite.Open"))
	}
	if cfg.Mail == nil {
		problems = append(problems, errors.New("Mail: missing; for development use mail.Folder"))
	}
	for name, rules := range map[string]gate.Rules{"Tools": cfg.Tools, "Resources": cfg.Resources, "Prompts": cfg.Prompts} {
		if err := rules.Check(cfg.Scopes, cfg.levels()); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", name, err))
		}
	}
	for name, rules := range map[string]gate.Rules{"Resources": cfg.Resources, "Prompts": cfg.Prompts} {
		for _, item := range slices.Sorted(maps.Keys(rules)) {
			if rules[item].Confirms() > gate.NotConfirmed {
				problems = append(problems, fmt.Errorf("%s: %s: only tools are confirmed", name, item))
			}
		}
	}
	for _, name := range ownTools {
		if _, taken := cfg.Tools[name]; taken {
			problems = append(problems, fmt.Errorf("Tools: %s is a tool of the kit's own", name))
		}
	}
	return errors.Join(problems...)
}

func checkIssuer(issuer string) error {
	u, err := url.Parse(issuer)
	switch {
	case err != nil || u.Host == "" || u.Scheme+"://"+u.Host != issuer || strings.ToLower(issuer) != issuer:
		return fmt.Errorf("Issuer %q: must be scheme and host alone, in lower case, such as https://notes.example.com", issuer)
	case u.Scheme == "https" && !isCanonical(issuer), u.Scheme == "http" && !isCanonical(issuer):
		return fmt.Errorf("Issuer %q: the host must be a name or a plain address, without the port that is usual for the scheme", issuer)
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && isThisDevice(u.Hostname()):
		return nil
	}
	return fmt.Errorf("Issuer %q: must be https; http is for localhost, 127.0.0.1 and [::1]", issuer)
}

// isCanonical reports whether uri is spelled as clients' names of resources are
// before they are compared with it.
func isCanonical(uri string) bool {
	canonical, err := oauth.CanonicalResource(uri)
	return err == nil && canonical == uri
}
