package foyer

import (
	"testing"

	"example.com/foyer/examples/appointments"
	"example.com/foyer/store"
)

// newPractice is a house of appointments, whose bookings lie in the kit's own database.
// Their days are those of the real clock.
func newPractice(t testing.TB) *house {
	t.Helper()
	instead := func(h *house) {
		calendar, err := appointments.Open(h.store.(store.Database))
		if err != nil {
			h.t.Fatal(err)
		}
		h.server = calendar.Server(h.kit.Operations())
	}
	return newHouseWith(t, instead, func(cfg *Config) {
		cfg.Scopes, cfg.Tools, cfg.Resources, cfg.Prompts, cfg.GuestData = appointments.Scopes, appointments.Tools, nil, nil, nil
	})
}
