package words

import (
	"math"
	"testing"
	"time"
)

func TestSpansAreSaidShortly(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                              "0 seconds",
		1:                              "1 second",
		time.Second:                    "1 second",
		time.Second + 1:                "2 seconds",
		90 * time.Second:               "90 seconds",
		90*time.Second + 1:             "2 minutes",
		10 * time.Minute:               "10 minutes",
		2*time.Hour - time.Second:      "120 minutes",
		2 * time.Hour:                  "2 hours",
		23*time.Hour + time.Nanosecond: "24 hours",
	} {
		if got := span(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestSecondsAreNeverTooFew(t *testing.T) {
	for d, want := range map[time.Duration]int64{0: 0, 1: 1, time.Second: 1, time.Second + 1: 2, math.MaxInt64: 1 << 31} {
		if got := Seconds(d); got != want {
			t.Errorf("%d ns: %d s, want %d", d, got, want)
		}
	}
}
