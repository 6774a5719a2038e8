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

// told is a [mcp.CallToolResult] as JSON has it.
type told struct {
	Meta struct {
		Denial    denial              `json:"foyer/denial"`
		Server    *mcp.Implementation `json:"io.modelcontextprotocol/serverInfo,omitempty"`
		Challenge []string            `json:"mcp/www_authenticate,omitempty"`
	} `json:"_meta"`
	Content    [1]text   `json:"content"`
	Structured *toldAuth `json:"structuredContent,omitempty"`
	IsError    bool      `json:"isError"`
	ResultType string    `json:"resultType,omitempty"`
}

type toldAuth struct {
	Auth *denial `json:"auth"`
}

type text struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// tell answers m with the result that the middleware would give it.
func (g *Gate) tell(w http.ResponseWriter, r *http.Request, m message, c carried, ref refusal) {
	f := g.findings(c, ref)
	res := told{Content: [1]text{{"text", f.text}}, IsError: true}
	res.Meta.Denial = f.denial
	if f.challenge != "" {
		res.Meta.Challenge = []string{f.challenge}
	}
	if f.structured {
		res.Structured = &toldAuth{&res.Meta.Denial}
	}
	if r.Header.Get("Mcp-Protocol-Version") >= "2026-07-28" { // what the SDK adds
		res.ResultType, res.Meta.Server = "complete", g.Info
	}
	w.Header().Set("Cache-Control", cacheControl+", no-transform")
	w.Header().Set("Content-Type", "application/json")
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(struct { // an error means that the client has gone
		JSONRPC string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Result  *told           `json:"result"`
	}{"2.0", m.ID, &res})
}
