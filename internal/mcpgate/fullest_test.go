package mcpgate

import "testing"

// Who has opened most makes room when the process is full, and not whoever was
// there longest.
func TestWhoHasMostMakesRoom(t *testing.T) {
	l := newLive()
	for key, n := range map[string]int{"one": 1, "greedy": 5, "three": 3} {
		for range n {
			p := l.party(key)
			p.sessions = append(p.sessions, &session{key: key})
			p.streams = append(p.streams, &stream{key: key})
		}
	}
	if p := l.fullest(func(p *party) int { return len(p.sessions) }); p != l.parties["greedy"] {
		t.Errorf("%d sessions make room", len(p.sessions))
	}
	if p := l.fullest(func(p *party) int { return len(p.streams) }); p != l.parties["greedy"] {
		t.Errorf("%d streams make room", len(p.streams))
	}
}
