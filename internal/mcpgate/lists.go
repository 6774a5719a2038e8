package mcpgate

import (
	"fmt"
	"maps"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
)

// list asks for a list, and leaves in it what c may use, as it is, and what c
// could get, locked. The same decision stands behind a call.
func (g *Gate) list(c gate.Caller, ask func() (mcp.Result, error), req mcp.Request) (mcp.Result, error) {
	res, err := ask()
	if err != nil {
		return nil, err
	}
	switch res := res.(type) {
	case *mcp.ListToolsResult:
		private(&res.Cacheable)
		err = onePage(res, ask, req, func(r *mcp.ListToolsResult) (*[]*mcp.Tool, *string) { return &r.Tools, &r.NextCursor })
		res.Tools = shown(res.Tools, func(t *mcp.Tool) *mcp.Tool {
			return entry(g, c, g.Items.tools.Decide(c, t.Name), t, func(t *mcp.Tool) *mcp.Meta { return &t.Meta })
		})
	case *mcp.ListPromptsResult:
		private(&res.Cacheable)
		err = onePage(res, ask, req, func(r *mcp.ListPromptsResult) (*[]*mcp.Prompt, *string) { return &r.Prompts, &r.NextCursor })
		res.Prompts = shown(res.Prompts, func(p *mcp.Prompt) *mcp.Prompt {
			return entry(g, c, g.Items.prompts.Decide(c, p.Name), p, func(p *mcp.Prompt) *mcp.Meta { return &p.Meta })
		})
	case *mcp.ListResourcesResult:
		private(&res.Cacheable)
		err = onePage(res, ask, req, func(r *mcp.ListResourcesResult) (*[]*mcp.Resource, *string) { return &r.Resources, &r.NextCursor })
		res.Resources = shown(res.Resources, func(r *mcp.Resource) *mcp.Resource {
			return entry(g, c, g.Items.resources.Decide(c, r.URI), r, func(r *mcp.Resource) *mcp.Meta { return &r.Meta })
		})
	case *mcp.ListResourceTemplatesResult:
		private(&res.Cacheable)
		err = onePage(res, ask, req, func(r *mcp.ListResourceTemplatesResult) (*[]*mcp.ResourceTemplate, *string) {
			return &r.ResourceTemplates, &r.NextCursor
		})
		res.ResourceTemplates = shown(res.ResourceTemplates, func(t *mcp.ResourceTemplate) *mcp.ResourceTemplate {
			return entry(g, c, g.Items.resources.Decide(c, t.URITemplate), t, func(t *mcp.ResourceTemplate) *mcp.Meta { return &t.Meta })
		})
	default:
		return nil, fmt.Errorf("mcpgate: a list answers a %T", res)
	}
	if err != nil {
		return nil, err
	}
	return res, nil
}

// onePage puts the items of all pages after page on page. The SDK's cursor is
// the name of a page's last item, thinly wrapped, and how full a page is after
// the rules tells how much they took away: both may be what c must not know.
func onePage[R mcp.Result, T any](page R, ask func() (mcp.Result, error), req mcp.Request, parts func(R) (*[]*T, *string)) error {
	items, cursor := parts(page)
	for *cursor != "" {
		turnTo(req, *cursor)
		res, err := ask()
		if err != nil {
			return err
		}
		after, ok := res.(R)
		if !ok {
			return fmt.Errorf("mcpgate: a list answers a %T", res)
		}
		more, next := parts(after)
		*items, *cursor = append(*items, *more...), *next
	}
	return nil
}

// turnTo makes req ask for the page at cursor. Its params are its own, and the
// SDK has made some where the client sent none.
func turnTo(req mcp.Request, cursor string) {
	switch p := req.GetParams().(type) {
	case *mcp.ListToolsParams:
		p.Cursor = cursor
	case *mcp.ListPromptsParams:
		p.Cursor = cursor
	case *mcp.ListResourcesParams:
		p.Cursor = cursor
	case *mcp.ListResourceTemplatesParams:
		p.Cursor = cursor
	}
}

// private keeps a result that depends on the caller out of shared caches, and
// out of the client's: a claim changes it under the same token.
func private(c *mcp.Cacheable) { c.CacheScope, c.TTLMs = "private", 0 }

// shown keeps the items of which show returns one.
func shown[T any](all []*T, show func(*T) *T) []*T {
	kept := make([]*T, 0, len(all)) // never null
	for _, item := range all {
		if item := show(item); item != nil {
			kept = append(kept, item)
		}
	}
	return kept
}

// entry returns item as a list shows it: as it is, as a locked copy that says
// what it needs (all callers share the item itself), or nil for not at all.
func entry[T any](g *Gate, c gate.Caller, d gate.Decision, item *T, meta func(*T) *mcp.Meta) *T {
	switch {
	case d.Outcome == gate.Allow:
		return item
	case !d.Listed():
		return nil
	}
	locked := *item
	m := meta(&locked)
	*m = maps.Clone(*m)
	if *m == nil {
		*m = mcp.Meta{}
	}
	(*m)["foyer/access"] = g.access(c, d)
	return &locked
}
