package signintools

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/internal/chromium"
)

func TestThePageForDigitsIsEmptyAndLoadsNothing(t *testing.T) {
	d := newDesk(t)
	d.guest()
	for _, tool := range d.listed() {
		ui, has := tool.Meta["ui"].(map[string]any)
		if has != (tool.Name == "authenticate") || has && ui["resourceUri"] != DigitsURI {
			t.Errorf("%s shows %v", tool.Name, tool.Meta)
		}
	}
	res, err := d.session.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: DigitsURI})
	if err != nil || len(res.Contents) != 1 || res.Contents[0].MIMEType != "text/html;profile=mcp-app" {
		t.Fatalf("%+v, %v", res, err)
	}
	for _, danger := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "http:", "https:", "src=", "localStorage", "cookie"} {
		if strings.Contains(res.Contents[0].Text, danger) {
			t.Errorf("the page has %s", danger)
		}
	}
}

// host is a client with MCP Apps: it shows the page in a sandbox that allows what
// the specification says, scripts and no forms, and keeps what the page sends.
const host = `<!DOCTYPE html><title>host</title>
<iframe sandbox="allow-scripts allow-same-origin" srcdoc="%s" width="600" height="300"></iframe>
<script>
const capabilities = %s
const frame = document.querySelector('iframe')
const sent = []
const say = (message) => frame.contentWindow.postMessage({ jsonrpc: '2.0', ...message }, '*')
addEventListener('message', ({ data }) => {
  if (data.method === 'ui/initialize') say({ id: data.id, result: { protocolVersion: '2026-01-26', hostCapabilities: capabilities, hostContext: {} } })
  if (data.method === 'ui/notifications/initialized') sent.ready = true
  if (data.id && data.method !== 'ui/initialize') sent.push(data)
})
const answer = (result) => say({ id: sent.at(-1).id, result })
const text = () => frame.contentDocument.body.innerText
</script>`

// A stage is the page in its host, in a real browser.
type stage struct {
	t    *testing.T
	run  func(script string) string
	keys func(string)
}

func newStage(t *testing.T, capabilities string) *stage {
	t.Helper()
	ctx := chromium.Start(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, host, html.EscapeString(digitsPage), capabilities)
	}))
	t.Cleanup(server.Close)
	if _, err := chromedp.Run(ctx, chromedp.Navigate(server.URL)); err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, run: func(script string) string {
		t.Helper()
		got, err := chromedp.Run(ctx, chromedp.Poll[string](script))
		if err != nil {
			t.Fatalf("%s: %v", script, err)
		}
		return got
	}, keys: func(keys string) {
		t.Helper()
		if _, err := chromedp.Run(ctx, chromedp.KeyEvent(keys)); err != nil {
			t.Fatal(err)
		}
	}}
	s.run(`sent.ready && 'ready'`)
	return s
}

// gets hands result to the page, as what authenticate returned.
func (s *stage) gets(result map[string]any) {
	s.t.Helper()
	text, err := json.Marshal(map[string]any{"method": "ui/notifications/tool-result", "params": map[string]any{"structuredContent": result}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.run(`say(` + string(text) + `) || 'said'`)
}

// shows waits until the page shows text.
func (s *stage) shows(text string) {
	s.t.Helper()
	s.run(`text().includes(` + fmt.Sprintf("%q", text) + `) && 'shown'`)
}

// called waits for the n-th request of the page, and returns it.
func (s *stage) called(n int) string {
	s.t.Helper()
	return s.run(fmt.Sprintf(`sent.length >= %d && JSON.stringify([sent.at(-1).method, sent.at(-1).params])`, n))
}

var pending = map[string]any{"status": "pending", "mailed_to": "a***@example.com", "digits": 6}

// E16: the digits go from the field to validate_token, by keyboard alone, and the
// model is told who signed in and not the digits.
func TestTheDigitsGoPastTheModel(t *testing.T) {
	s := newStage(t, `{"serverTools":{},"updateModelContext":{}}`)
	s.shows("One moment")
	s.gets(pending)
	s.shows("Type the 6 digits that were mailed to a***@example.com.")
	s.keys("\t12345\r")
	s.shows("It takes 6 digits.")
	s.keys("6\r")
	if got := s.called(1); got != `["tools/call",{"name":"validate_token","arguments":{"code":"123456"}}]` {
		t.Errorf("the page asks for %s", got)
	}
	s.shows("Looking at the digits")
	s.run(`answer({ isError: true, structuredContent: { status: 'refused', tries_left: 4 } }) || 'answered'`)
	s.shows("These are not the digits. 4 tries are left.")
	s.keys("048 291\t\r") // the button, by keyboard
	if got := s.called(2); got != `["tools/call",{"name":"validate_token","arguments":{"code":"048291"}}]` {
		t.Errorf("the page asks for %s", got)
	}
	s.run(`answer({ structuredContent: { status: 'signed_in', as: 'a***@example.com' } }) || 'answered'`)
	s.shows("Signed in as a***@example.com. Go on in the chat.")
	if got := s.called(3); !strings.HasPrefix(got, `["ui/update-model-context"`) || strings.Contains(got, "048291") || !strings.Contains(got, "Do not ask for the digits") {
		t.Errorf("the model is told %s", got)
	}
	if shown := s.run(`text().includes('Type the') ? 'shown' : 'gone'`); shown != "gone" {
		t.Error("the field stays after the sign-in")
	}
}

func TestThePageForDigitsSaysWhatToDoInstead(t *testing.T) {
	for _, test := range []struct {
		name, capabilities string
		result             map[string]any
		want               string
	}{
		{"a host that calls no tools for pages", `{}`, pending, "A code was mailed to a***@example.com. Give it to the assistant."},
		{"a user", `{"serverTools":{}}`, map[string]any{"status": "signed_in", "as": "a***@example.com"}, "Signed in as a***@example.com already."},
		{"a refusal", `{"serverTools":{}}`, map[string]any{"status": "refused"}, "No code was mailed. The assistant knows why."},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStage(t, test.capabilities)
			s.gets(test.result)
			s.shows(test.want)
		})
	}
	t.Run("digits that are used up", func(t *testing.T) {
		s := newStage(t, `{"serverTools":{}}`)
		s.gets(pending)
		s.shows("Type the 6 digits")
		s.keys("\t000000\r")
		s.called(1)
		s.run(`answer({ isError: true, structuredContent: { status: 'refused' } }) || 'answered'`)
		s.shows("This code does not work any more.")
	})
	t.Run("a host that refuses the call", func(t *testing.T) {
		s := newStage(t, `{"serverTools":{}}`)
		s.gets(pending)
		s.shows("Type the 6 digits")
		s.keys("\t000000\r")
		s.called(1)
		s.run(`say({ id: sent.at(-1).id, error: { code: -32000, message: 'no' } }) || 'answered'`)
		s.shows("The app did not pass the digits on.")
	})
}
