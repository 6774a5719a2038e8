package oauth

import "strings"

// A knownClient is a redirect URI that is known to end at the application that
// it names.
type knownClient struct {
	client string
	uri    string // a star stands for one path segment of unreserved characters
	seen   string // the month of the knowledge: clients change
}

// Those that are not here, because they redirect to loopback: Claude Code, Codex
// CLI, Copilot CLI, Gemini CLI, Grok Build, MCP Inspector, mcp-remote, opencode;
// VS Code and Cursor do both.
var knownClients = []knownClient{
	{"Claude", "https://claude.ai/api/mcp/auth_callback", "2026-09"},
	{"Claude", "https://claude.com/api/mcp/auth_callback", "2026-09"},
	{"ChatGPT", "https://chatgpt.com/connector/oauth/*", "2026-09"},
	{"ChatGPT, older connectors", "https://chatgpt.com/connector_platform_oauth_redirect", "2026-09"},
	{"VS Code", "https://vscode.dev/redirect", "2026-09"},
	{"VS Code Insiders", "https://insiders.vscode.dev/redirect", "2026-09"},
	{"Cursor", "cursor://anysphere.cursor-mcp/oauth/callback", "2026-09"},
	{"Cursor, older versions", "cursor://anysphere.cursor-retrieval/oauth/*/callback", "2026-09"},
	{"Cursor agents", "https://www.cursor.com/agents/mcp/oauth/callback", "2026-09"},
	{"Copilot Studio", "https://global.consent.azure-apim.net/redirect/*", "2026-09"},
}

func (k knownClient) has(uri string) bool {
	before, after, open := strings.Cut(k.uri, "*")
	if !open {
		return uri == k.uri
	}
	middle, ok := strings.CutPrefix(uri, before)
	if !ok {
		return false
	}
	segment, ok := strings.CutSuffix(middle, after)
	return ok && segment != "" && segment != "." && segment != ".." && !strings.ContainsFunc(segment, notUnreserved)
}
