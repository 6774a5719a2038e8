package sqlstore

import (
	"testing"
	"time"
)

func TestAListRefusesAWordThatWouldComeBackAsAnother(t *testing.T) {
	for _, list := range []words{{"https://a.example/ https://evil.example/"}, {""}, {"a", "", "b"}, {" "}} {
		if v, err := list.Value(); err == nil {
			t.Errorf("%q is stored as %q", []string(list), v)
		}
	}
}

func TestTimesAreStoredAsDistances(t *testing.T) {
	list := instants{time.UnixMicro(1_000_000), time.UnixMicro(1_000_005), time.UnixMicro(999_000)}
	if v, err := list.Value(); err != nil || v != "1000000 5 -1005" {
		t.Errorf("Value = %q, %v", v, err)
	}
}

func TestValuesOfAnotherTypeAreRefused(t *testing.T) {
	for name, err := range map[string]error{
		"time of text":       new(instant).Scan("2026-01-01"),
		"words of a number":  new(words).Scan(int64(1)),
		"times of words":     new(instants).Scan("1 two"),
		"flag of text":       new(flag).Scan("true"),
		"hash of 31 bytes":   new(hash).Scan(make([]byte, 31)),
		"hash of text":       new(hash).Scan("0123456789abcdef0123456789abcdef"),
		"time without value": new(instant).Scan(nil),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
