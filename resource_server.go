package foyer

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"

	"example.com/foyer/internal/authserver"
	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/jwt"
	"example.com/foyer/internal/oauth"
	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

// A ResourceServer serves a protected resource that is no endpoint of the kit,
// such as an API in another process, with tokens of this authorization server. A
// client that names Resource at /authorize gets a token for it alone: it opens no
// endpoint, and no token of an endpoint opens it.
//
// The server verifies a token by asking /introspect (RFC 7662), which says what
// holds at that moment; or, where JWT is set, by itself.
type ResourceServer struct {
	// Resource is the URL that clients name and tokens have for their audience,
	// such as "https://files.example.com/api": https, or http on this device, in
	// lower case where case means nothing, and without a slash at the end.
	Resource string

	// ID is the name by which the server introspects (HTTP Basic): letters,
	// digits, and . _ -. Optional where Secrets are.
	ID string

	// Secrets are what it introspects with. Each has at least 32 bytes, and any
	// of them will do, so that one can be replaced by another. Optional where JWT
	// is set; then the server cannot introspect.
	Secrets []string

	// JWT makes the access tokens of users JWTs (RFC 9068), which the server
	// verifies with the keys at /jwks: type at+jwt, the issuer, Resource for
	// audience, the expiry. It hears of a revocation, a sign-out or a change of
	// scopes only when the token expires, after Lifetimes.Access; introspection
	// says so at once, of JWTs too. A guest's token is not a JWT, and is
	// introspected.
	JWT bool
}

var resourceServerID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)

// checkResourceServers returns everything that is wrong with the resource
// servers, and with what signs for them.
func (cfg *Config) checkResourceServers() error {
	var problems []error
	for i, rs := range cfg.ResourceServers {
		others := cfg.ResourceServers[:i]
		for _, err := range append(rs.check(cfg.Secrets), cfg.checkAudience(rs.Resource, others)) {
			if err != nil {
				problems = append(problems, fmt.Errorf("ResourceServers: number %d %w", i+1, err))
			}
		}
		if rs.ID != "" && slices.ContainsFunc(others, func(other ResourceServer) bool { return other.ID == rs.ID }) {
			problems = append(problems, fmt.Errorf("ResourceServers: number %d has the ID of another", i+1))
		}
	}
	if l := cfg.Lifetimes.withDefaults(cfg.GuestData != nil); cfg.issuesJWTs() && l.Access < l.Overlap {
		problems = append(problems, fmt.Errorf("Lifetimes.Access: %v is less than Overlap, and an expired JWT cannot be answered again", l.Access))
	}
	if _, err := jwt.NewKeys(cfg.SigningKeys); err != nil {
		problems = append(problems, fmt.Errorf("SigningKeys: %w", err))
	}
	return errors.Join(problems...)
}

func (rs ResourceServer) check(ours []string) (problems []error) {
	if len(rs.Secrets) == 0 && !rs.JWT {
		problems = append(problems, errors.New("has neither Secrets nor JWT, so it could verify nothing"))
	}
	if (rs.ID != "" || len(rs.Secrets) > 0) && !resourceServerID.MatchString(rs.ID) {
		problems = append(problems, fmt.Errorf("has ID %q: must be letters, digits, and . _ -", rs.ID))
	}
	for i, s := range rs.Secrets {
		switch {
		case len(s) < 32:
			problems = append(problems, fmt.Errorf("has a secret, number %d, of %d bytes and needs 32; make one with: openssl rand -base64 32", i+1, len(s)))
		case slices.Contains(ours, s):
			problems = append(problems, fmt.Errorf("has a secret, number %d, that is one of Config.Secrets: give it one of its own", i+1))
		}
	}
	return problems
}

// checkAudience reports what keeps resource from being an audience of its own.
func (cfg *Config) checkAudience(resource string, others []ResourceServer) error {
	canonical, err := oauth.CanonicalResource(resource)
	u, _ := url.Parse(resource)
	switch {
	case err != nil:
		return fmt.Errorf("has Resource %q: must be a URL such as https://files.example.com/api", resource)
	case canonical != resource:
		return fmt.Errorf("has Resource %q: write %q", resource, canonical)
	case u == nil || u.Scheme != "https" && !isThisDevice(u.Hostname()):
		return fmt.Errorf("has Resource %q: must be https; http is for localhost, 127.0.0.1 and [::1]", resource)
	case slices.Contains(cfg.endpointURLs(), resource):
		return fmt.Errorf("has Resource %q, which is an endpoint's", resource)
	case slices.ContainsFunc(others, func(other ResourceServer) bool { return other.Resource == resource }):
		return fmt.Errorf("has the Resource of another, %q", resource)
	}
	return nil
}

func isThisDevice(host string) bool {
	return slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, host)
}

func (cfg *Config) issuesJWTs() bool {
	return slices.ContainsFunc(cfg.ResourceServers, func(rs ResourceServer) bool { return rs.JWT })
}

// jwts are the resources whose tokens are JWTs, and the keys that sign them: the
// operator's, or else one for each of the secrets.
func (cfg *Config) jwts(keys secret.Keys) (grant.JWTs, error) {
	if !cfg.issuesJWTs() {
		return grant.JWTs{}, nil
	}
	signers := cfg.SigningKeys
	if len(signers) == 0 {
		signers = keys.SigningKeys()
	}
	signing, err := jwt.NewKeys(signers)
	j := grant.JWTs{Issuer: cfg.Issuer, Keys: signing}
	for _, rs := range cfg.ResourceServers {
		if rs.JWT {
			j.Resources = append(j.Resources, rs.Resource)
		}
	}
	return j, err
}

// resourceServers are those that may introspect, or whose resource clients may
// name, with the hashes of their secrets alone.
func (cfg *Config) resourceServers() (all []authserver.ResourceServer) {
	for _, rs := range cfg.ResourceServers {
		var hashes []store.Hash
		for _, s := range rs.Secrets {
			hashes = append(hashes, secret.HashOf(s))
		}
		all = append(all, authserver.ResourceServer{ID: rs.ID, Resource: rs.Resource, Secrets: hashes})
	}
	return all
}
