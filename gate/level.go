package gate

import (
	"fmt"
	"slices"
	"strings"
)

// Levels are the ways in which a user may have been authenticated, from the
// weakest to the strongest (acr of OpenID Connect Core section 2).
type Levels []string

// StandardLevels are the levels of the kit.
var StandardLevels = Levels{"chat", "email", "oidc", "passkey"}

// levelPrefix makes a level a scope.
const levelPrefix = "acr:"

// LevelScope is the scope by which clients ask for a level.
func LevelScope(level string) string { return levelPrefix + level }

// LevelOf returns the level that a scope asks for, if it asks for one.
func LevelOf(scope string) (level string, ok bool) { return strings.CutPrefix(scope, levelPrefix) }

// Scopes returns those of level and of every weaker one: what a user has who was
// authenticated so. A level that is none of ls gives nothing.
func (ls Levels) Scopes(level string) []string {
	var scopes []string
	for _, l := range ls[:slices.Index(ls, level)+1] {
		scopes = append(scopes, LevelScope(l))
	}
	return scopes
}

// Check returns what is wrong with the levels.
func (ls Levels) Check() error {
	for i, l := range ls {
		if l == "" || strings.ContainsFunc(l, notInScope) || slices.Contains(ls[:i], l) {
			return fmt.Errorf("level %q: a name is made of ASCII letters, digits and punctuation but \" and \\, and comes once", l)
		}
	}
	return nil
}
