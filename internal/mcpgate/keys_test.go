package mcpgate

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// However many keys an object has, each is found again.
func TestAKeyThatComesTwiceAmongMany(t *testing.T) {
	for n := 1; n < 3*few; n++ {
		var members []string
		for i := range n {
			members = append(members, fmt.Sprintf(`"key %d":{"key 0":%d}`, i, i))
		}
		if err := checkKeys([]byte("{" + strings.Join(members, ",") + "}")); err != nil {
			t.Errorf("%d keys: %v", n, err)
		}
		for i := range n {
			if err := checkKeys([]byte("{" + strings.Join(append(members, fmt.Sprintf(`"\u006bey %d":0`, i)), ",") + "}")); !errors.Is(err, errKeyTwice) {
				t.Errorf("%d keys, of which %d comes twice: %v", n, i, err)
			}
		}
	}
}

func BenchmarkCheckKeys(b *testing.B) {
	body := []byte(`{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"anyone","arguments":{"text":"` + strings.Repeat("x", 40) + `"},` +
		`"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}`)
	b.ReportAllocs()
	for b.Loop() {
		if err := checkKeys(body); err != nil {
			b.Fatal(err)
		}
	}
}
