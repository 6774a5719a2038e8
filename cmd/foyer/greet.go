package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// askFirst is what a newcomer may say to a client of each app.
var askFirst = map[string]string{
	"journal": `Then ask it:

  Give me a writing prompt.            (nobody has to sign in)
  Show me my journal.                  (you are asked for an address, and for the digits in the mail)
`,
	"appointments": `Then ask it:

  When can I see a doctor?             (nobody has to sign in)
  Book the first one for me.           (you sign in, are shown what would be booked, and say yes)
  Cancel it again.                     (your client asks you, if it can)
`,
	"conformance": `Or run the official conformance suite, from a checkout of Foyer:

  node test/conformance/run.mjs --url %[1]s
`,
}

// greet prints what a newcomer needs.
func (d *demo) greet(w io.Writer, dir string) {
	mcp := d.Issuer + "/mcp"
	fmt.Fprintf(w, strings.ReplaceAll(`
Foyer is serving the %[5]s.

  MCP server   %[1]s
  Inbox        %[2]s/dev/mail   (mails land here, and in %[3]s)
  Account      %[2]s/account   (who signed in sees, changes and ends what apps may do)
  Data         %[4]s

Connect a client:

  MCP Inspector   npx @modelcontextprotocol/inspector --transport http --server-url %[1]s
  Claude Code     claude mcp add --transport http %[5]s %[1]s
  VS Code         code --add-mcp '{"name":"%[5]s","type":"http","url":"%[1]s"}'
  Cursor          in ~/.cursor/mcp.json:  {"mcpServers":{"%[5]s":{"url":"%[1]s"}}}

`+askFirst[d.App]+`
This is a demo: whoever reads the inbox can sign in as anybody. Stop it with Ctrl-C;
a second start goes on where this one ended.

`, "\t", "  "), mcp, d.Issuer, filepath.Join(dir, "mail"), dir, d.App)
}
