package sqlstore

import (
	"errors"
	"testing"
	"time"
)

func TestAPackedRowIsReadAsItIsOrNotAtAll(t *testing.T) {
	var (
		id      string
		epoch   int
		expires instant
		scopes  words
	)
	fields := []any{&id, &epoch, &expires, &scopes}
	if err := unpack("g\x1f7\x1f1000000\x1fa b", fields); err != nil {
		t.Fatal(err)
	}
	if id != "g" || epoch != 7 || !time.Time(expires).Equal(time.Unix(1, 0)) || len(scopes) != 2 {
		t.Errorf("unpacked %q, %d, %v, %q", id, epoch, time.Time(expires), scopes)
	}
	if err := unpack("\x1f0\x1f0\x1f", fields); err != nil || id != "" || epoch != 0 || !time.Time(expires).IsZero() || scopes != nil {
		t.Errorf("unpacked %q, %d, %v, %q, %v; want zeros", id, epoch, time.Time(expires), scopes, err)
	}
	for _, packed := range []string{"", "g\x1f7\x1f1", "g\x1f7\x1f1\x1fa\x1fb", "a\x1fg\x1f7\x1f1\x1fa"} {
		if err := unpack(packed, fields); !errors.Is(err, errPacked) {
			t.Errorf("%q: error = %v, want errPacked", packed, err)
		}
	}
	for _, packed := range []string{"g\x1fseven\x1f1\x1fa", "g\x1f7\x1f\x1fa", "g\x1f99999999999999999999\x1f1\x1fa"} {
		if err := unpack(packed, fields); err == nil {
			t.Errorf("%q: no error", packed)
		}
	}
	if err := unpack("1", []any{new(flag)}); err == nil {
		t.Error("a field of a type that is not known: no error")
	}
}
