package gate

import (
	"fmt"
	"strings"
)

// String says in words whom the rule lets through.
func (r Rule) String() string {
	text := map[who]string{nobody: "nobody", anyone: "anyone", anyGrant: "whoever has a token", guestsOnly: "guests", signedIn: "users"}[r.who]
	var scopes []string
	var level string
	for _, s := range r.scopes {
		if l, ok := LevelOf(s); ok {
			level = l
		} else {
			scopes = append(scopes, s)
		}
	}
	if len(scopes) > 0 {
		text += " with " + strings.Join(scopes, ", ")
	}
	if len(r.roles) > 0 {
		text += " who are " + strings.Join(r.roles, ", ")
	}
	if level != "" {
		text += ", authenticated by " + level + " or better"
	}
	if r.maxAge > 0 {
		text += fmt.Sprintf(", at most %v ago", r.maxAge)
	}
	if r.when != nil {
		text += ", for some arguments"
	}
	if r.confirm > NotConfirmed {
		text += ", confirmed by " + r.confirm.words()
	}
	if r.hidden {
		text += "; hidden from others"
	}
	return text
}

// String says in words what is decided: "allow", "challenge: sign_in for
// notes:write", "deny: needs_roles admin".
func (d Decision) String() string {
	switch d.Outcome {
	case Allow:
		return "allow"
	case Confirm:
		return "confirm by " + d.Confirm.words()
	case Challenge:
		text := "challenge: " + string(d.Reason)
		if len(d.Roles) > 0 {
			text += " as " + strings.Join(d.Roles, ", ")
		}
		if len(d.Scopes) > 0 {
			text += " for " + strings.Join(d.Scopes, ", ")
		}
		if d.MaxAge > 0 {
			text += fmt.Sprintf(" within %v", d.MaxAge)
		}
		return text
	}
	if len(d.Roles) > 0 {
		return "deny: " + string(d.Reason) + " " + strings.Join(d.Roles, ", ")
	}
	return "deny: " + string(d.Reason)
}
