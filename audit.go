package foyer

import (
	"context"

	"example.com/foyer/audit"
)

// VerifyAudit reads the whole audit trail and returns what it verified, or an
// [*audit.Tampering] with the first event that is not as it was sealed. Events of
// the last second may not be sealed yet: they are counted, and nothing is known of
// them.
func (k *Kit) VerifyAudit(ctx context.Context) (audit.Report, error) { return k.trail.Verify(ctx) }
