// Package secret makes the secrets that the kit hands out, and the hashes it
// keeps of them. A plain secret leaves the process once, in the response or the
// mail that issues it; only its [Hash] is ever stored.
package secret

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"log/slog"
)

// HashOf returns the hash under which plain is stored. Tokens carry 256 bits of
// entropy, so a plain SHA-256 is enough: there is no dictionary to slow down.
func HashOf(plain string) [sha256.Size]byte { return sha256.Sum256([]byte(plain)) }

const redacted = "[secret]"

// A Text is a plain secret. However it is printed, logged or encoded, it shows
// nothing; only [Text.Reveal] does.
type Text struct{ plain string }

// Plain makes a Text of plain.
func Plain(plain string) Text { return Text{plain} }

// Reveal returns the secret, to be sent to the one it is for.
func (t Text) Reveal() string { return t.plain }

// Hash returns the hash under which the secret is stored.
func (t Text) Hash() [sha256.Size]byte { return HashOf(t.plain) }

// Among reports whether the secret is one of those with these hashes, in time
// that does not depend on which, or on how much of it is right. The empty secret
// is none.
func (t Text) Among(hashes [][sha256.Size]byte) bool {
	h, equal := t.Hash(), 0
	for _, known := range hashes {
		equal |= subtle.ConstantTimeCompare(known[:], h[:])
	}
	return equal == 1 && t.plain != ""
}

// Format implements [fmt.Formatter] for every verb.
func (Text) Format(f fmt.State, _ rune) { fmt.Fprint(f, redacted) }

// LogValue implements [slog.LogValuer].
func (Text) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON implements [json.Marshaler].
func (Text) MarshalJSON() ([]byte, error) { return json.Marshal(redacted) }
