package main

import (
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// connect connects a client of the SDK to a shop in this process.
func connect(t testing.TB, s *shop) *mcp.ClientSession {
	t.Helper()
	near, far := mcp.NewInMemoryTransports()
	if _, err := s.server.Connect(t.Context(), far, nil); err != nil {
		t.Fatal(err)
	}
	session, err := mcp.NewClient(&mcp.Implementation{Name: "customer", Version: "1"}, nil).Connect(t.Context(), near, nil)
	if err != nil {
		t.Fatal(err)
	}
	return session
}
