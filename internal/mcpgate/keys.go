package mcpgate

import (
	"bytes"
	"encoding/json"
	"errors"
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
		keys   map[string]struct{} // of an object; nil in an array
		expect bool                // the next string is a key
	}
	var stack []level
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '{', '[':
			if len(stack) == maxDepth {
				return errTooDeep
			}
			l := level{}
			if c == '{' {
				l = level{keys: map[string]struct{}{}, expect: true}
			}
			stack = append(stack, l)
		case '}', ']':
			stack = stack[:len(stack)-1]
		case ',':
			if top := &stack[len(stack)-1]; top.keys != nil {
				top.expect = true
			}
		case '"':
			end := i + 1 + stringLength(text[i+1:])
			if len(stack) > 0 {
				if top := &stack[len(stack)-1]; top.expect {
					key := unquote(text[i : end+1])
					if _, ok := top.keys[key]; ok {
						return errKeyTwice
					}
					top.keys[key] = struct{}{}
					top.expect = false
				}
			}
			i = end
		}
	}
	return nil
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
func unquote(quoted []byte) string {
	if !bytes.ContainsRune(quoted, '\\') {
		return string(quoted[1 : len(quoted)-1])
	}
	var s string
	if json.Unmarshal(quoted, &s) != nil {
		return string(quoted) // cannot happen in valid text
	}
	return s
}
