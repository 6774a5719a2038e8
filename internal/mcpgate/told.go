package mcpgate

import (
	"encoding/json"
	"net/http"
	"slices"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

var versions = mcp.SupportedProtocolVersions()

// tellable reports whether the refusal of m can be told in a result without the
// SDK, which takes twenty times as long to say the same: a call that stands for
// itself, and in whose headers the SDK would find no fault.
func tellable(r *http.Request, m message) bool {
	h, version := r.Header, r.Header.Get("Mcp-Protocol-Version")
	switch {
	case m.Method != "tools/call" || !m.called() || h.Get("Mcp-Session-Id") != "" || h.Get("Content-Type") != "application/json":
		return false
	case version >= "2026-07-28":
		return slices.Contains(versions, version) && h.Get("Mcp-Method") == m.Method && h.Get("Mcp-Name") == m.Params.Name
	}
	return version == "" || slices.Contains(versions, version)
}

// tell answers m with the result that the middleware would give it.
func (g *Gate) tell(w http.ResponseWriter, r *http.Request, m message, c carried, ref refusal) {
	type content struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	type result struct {
		Meta       mcp.Meta  `json:"_meta"`
		Content    []content `json:"content"`
		Structured any       `json:"structuredContent,omitempty"`
		IsError    bool      `json:"isError"`
		ResultType string    `json:"resultType,omitempty"`
	}
	res := g.result(c, ref, g.Items.outputs[ref.name])
	told := result{Meta: res.Meta, Structured: res.StructuredContent, IsError: true}
	for _, text := range res.Content {
		if text, ok := text.(*mcp.TextContent); ok { // they all are
			told.Content = append(told.Content, content{"text", text.Text})
		}
	}
	if r.Header.Get("Mcp-Protocol-Version") >= "2026-07-28" { // what the SDK adds
		told.ResultType = "complete"
		if g.Info != nil {
			told.Meta[mcp.MetaKeyServerInfo] = g.Info
		}
	}
	w.Header().Set("Cache-Control", cacheControl+", no-transform")
	w.Header().Set("Content-Type", "application/json")
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(struct { // an error means that the client has gone
		JSONRPC string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Result  result          `json:"result"`
	}{"2.0", m.ID, told})
}
