package sqlstore

import (
	"slices"
	"strings"
)

// control are the first words of statements that begin, end or leave a
// transaction, or that work outside of it.
var control = []string{"", "abort", "attach", "begin", "commit", "detach", "discard", "end", "lock", "pragma", "prepare", "reindex", "release",
	"reset", "rollback", "savepoint", "set", "start", "vacuum"}

// single reports whether query is one statement, and none of those. What it cannot
// tell it takes for several.
func single(query string) bool {
	rest := trimmed(query)
	end := strings.IndexFunc(rest, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') })
	if end < 0 {
		end = len(rest)
	}
	if slices.Contains(control, strings.ToLower(rest[:end])) {
		return false
	}
	for rest != "" {
		switch {
		case strings.HasPrefix(rest, "--"), strings.HasPrefix(rest, "/*"):
			rest = trimmed(rest)
		case rest[0] == '\'' || rest[0] == '"' || rest[0] == '`':
			closing := strings.IndexByte(rest[1:], rest[0])
			if closing < 0 {
				return false
			}
			rest = rest[closing+2:] // a doubled quotation mark opens the next text at once
		case rest[0] == '[':
			name, _, ok := strings.Cut(rest, "]")
			if !ok || strings.ContainsAny(name, "'\"`;-/") { // SQLite's name, in which these mean nothing, or an index, in which they do
				return false
			}
			rest = rest[len(name)+1:]
		case rest[0] == ';':
			return trimmed(rest[1:]) == ""
		default:
			rest = rest[1:]
		}
	}
	return true
}

// trimmed is query without the space and the comments in front.
func trimmed(query string) string {
	for {
		query = strings.TrimLeft(query, " \t\r\n\f\v\ufeff")
		switch {
		case strings.HasPrefix(query, "--"):
			_, after, _ := strings.Cut(query, "\n")
			query = after
		case strings.HasPrefix(query, "/*"):
			_, after, _ := strings.Cut(query[2:], "*/")
			query = after
		default:
			return query
		}
	}
}
