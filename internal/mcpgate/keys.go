package mcpgate

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
)

const maxDepth = 500 // of nested objects and arrays; the SDK stops at 1000

var (
	errKeyTwice = errors.New("an object names a key twice")
	errTooDeep  = errors.New("the message is nested too deep")
)

// checkKeys refuses JSON text in which an object names a key twice: readers
// differ in which of the two counts (RFC 8259 section 4). The text must be
// valid.
func checkKeys(text []byte) error {
	type level struct {
		keys   keys
		object bool
		expect bool // the next string is a key
	}
	stack := make([]level, 0, 8)
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '{', '[':
			if len(stack) == maxDepth {
				return errTooDeep
			}
			stack = append(stack, level{object: c == '{', expect: c == '{'})
		case '}', ']':
			stack = stack[:len(stack)-1]
		case ',':
			top := &stack[len(stack)-1]
			top.expect = top.object
		case '"':
			end := i + 1 + stringLength(text[i+1:])
			if len(stack) > 0 {
				if top := &stack[len(stack)-1]; top.expect {
					if !top.keys.add(unquote(text[i : end+1])) {
						return errKeyTwice
					}
					top.expect = false
				}
			}
			i = end
		}
	}
	return nil
}

// keys are those of an object: a few in a row, where they are found soonest, and
// more in a map.
type keys struct {
	few  [][]byte
	many map[string]struct{}
}

const few = 16

// add reports whether key is new.
func (k *keys) add(key []byte) bool {
	if k.many == nil && len(k.few) < few {
		if slices.ContainsFunc(k.few, func(other []byte) bool { return bytes.Equal(other, key) }) {
			return false
		}
		k.few = append(k.few, key)
		return true
	}
	if k.many == nil {
		k.many = map[string]struct{}{}
		for _, other := range k.few {
			k.many[string(other)] = struct{}{}
		}
	}
	if _, ok := k.many[string(key)]; ok {
		return false
	}
	k.many[string(key)] = struct{}{}
	return true
}

// stringLength returns how many bytes come before the quote that ends a string.
func stringLength(text []byte) int {
	for i := 0; ; i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
}

// unquote returns what a quoted string says. Two spellings of one key are one
// key.
func unquote(quoted []byte) []byte {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	var s string
	if json.Unmarshal(quoted, &s) != nil {
		return quoted // cannot happen in valid text
	}
	return []byte(s)
}
