package mcpgate

import "bytes"

// A filling is the items of a list in JSON, on their way round the SDK: it would
// read them three times to write them once, and take longer for that than for
// all the rest of a request. The SDK gets an empty list, and so would a client
// if the filling were lost.
type filling struct {
	key    string   // of the list in the result
	pieces [][]byte // each item behind a comma
}

// into returns p with the items in it, where p is a message that ends with the
// empty list.
func (f *filling) into(p []byte) []byte {
	rest := bytes.TrimRight(p, "\n") // the end of an event of a stream
	list, ok := bytes.CutSuffix(rest, []byte(`"`+f.key+`":[]}}`))
	if !ok {
		return p
	}
	at := len(list) + len(f.key) + len(`"":[`)
	size := len(p)
	for _, piece := range f.pieces {
		size += len(piece)
	}
	whole := append(make([]byte, 0, size), p[:at]...)
	for i, piece := range f.pieces {
		if i == 0 {
			piece = bytes.TrimPrefix(piece, []byte(","))
		}
		whole = append(whole, piece...)
	}
	return append(whole, p[at:]...)
}
