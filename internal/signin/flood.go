package signin

import (
	"net/netip"
	"time"

	"example.com/foyer/internal/limit"
)

// Floods are the budgets that no single grant or address has: they are kept in
// the process, so that no record is written by everybody at once, and may be
// overshot by as many calls as run at that moment. Each process has its own.
type Floods struct {
	// Exempt reports whether calls from addr are not counted.
	Exempt func(addr netip.Addr) bool
}

const (
	sendsPerAddr    = 20    // an hour
	sendsPerClient  = 600   // an hour
	sendsInAll      = 3_000 // an hour
	failuresPerAddr = 30    // an hour
	failuresSoft    = 200   // an hour: one-time codes get longer
	failuresHard    = 1_000 // an hour: one-time codes are refused
)

type flood struct {
	exempt    func(netip.Addr) bool
	byAddr    *limit.Egress
	byClient  *limit.Rate
	sends     *limit.Meter
	failAddr  *limit.Egress
	failInAll *limit.Meter
}

func newFlood(f Floods) *flood {
	return &flood{
		exempt:    f.Exempt,
		byAddr:    limit.NewEgress(sendsPerAddr, time.Hour),
		byClient:  limit.NewRate(sendsPerClient, time.Hour),
		sends:     limit.NewMeter(time.Hour),
		failAddr:  limit.NewEgress(failuresPerAddr, time.Hour),
		failInAll: limit.NewMeter(time.Hour),
	}
}

func (f *flood) excused(addr netip.Addr) bool { return f.exempt != nil && f.exempt(addr) }

// maySend spends one mail, or refuses it. A browser is no grant, and of no client:
// with a new cookie it would be another.
func (f *flood) maySend(a Asker, now time.Time) error {
	if f.excused(a.Addr) {
		return nil
	}
	if wait, ok := f.byAddr.Allow(limit.ClientKey(a.Addr), a.GrantID, now); !ok {
		return TooMany{wait}
	}
	if a.ClientID != "" {
		if wait, ok := f.byClient.Allow(a.ClientID, now); !ok {
			return TooMany{wait}
		}
	}
	if f.sends.Count(now) >= sendsInAll {
		return ErrBusy
	}
	f.sends.Add(now)
	return nil
}

// mayAnswer refuses answers while too many were wrong. It spends nothing.
func (f *flood) mayAnswer(a Asker, now time.Time) error {
	switch {
	case f.excused(a.Addr):
		return nil
	case f.failInAll.Count(now) >= failuresHard, !f.failAddr.Within(limit.ClientKey(a.Addr), now):
		return ErrBusy
	}
	return nil
}

// failed counts a wrong answer.
func (f *flood) failed(a Asker, now time.Time) {
	if !f.excused(a.Addr) {
		f.failInAll.Add(now)
		f.failAddr.Allow(limit.ClientKey(a.Addr), a.GrantID, now)
	}
}

// underAttack reports whether so many answers are wrong that guessing has to
// become harder for everyone.
func (f *flood) underAttack(now time.Time) bool { return f.failInAll.Count(now) >= failuresSoft }
