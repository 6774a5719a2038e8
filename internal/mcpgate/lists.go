package mcpgate

import (
	"context"
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
)

type lists struct {
	tools     *list[mcp.Tool]
	prompts   *list[mcp.Prompt]
	resources *list[mcp.Resource]
	templates *list[mcp.ResourceTemplate]
}

func newLists(tools, resources, prompts gate.Rules) lists {
	return lists{
		newList(tool, "tools", tools, func(t *mcp.Tool) string { return t.Name }, func(t *mcp.Tool) *mcp.Meta { return &t.Meta }),
		newList(prompt, "prompts", prompts, func(p *mcp.Prompt) string { return p.Name }, func(p *mcp.Prompt) *mcp.Meta { return &p.Meta }),
		newList(resource, "resources", resources, func(r *mcp.Resource) string { return r.URI }, func(r *mcp.Resource) *mcp.Meta { return &r.Meta }),
		newList(resource, "resourceTemplates", resources, func(t *mcp.ResourceTemplate) string { return t.URITemplate },
			func(t *mcp.ResourceTemplate) *mcp.Meta { return &t.Meta }),
	}
}

// list asks for a list, and shows in it what c may use, as it is, and what c
// could get, locked. The same decision stands behind a call. An item that the
// server has no more is not listed, nor is one without a rule.
func (g *Gate) list(ctx context.Context, c carried, ask func() (mcp.Result, error), req mcp.Request) (mcp.Result, error) {
	res, err := ask()
	if err != nil {
		return nil, err
	}
	lists := &g.Items.lists
	switch res := res.(type) {
	case *mcp.ListToolsResult:
		private(&res.Cacheable)
		err = onePage(res, ask, req, func(r *mcp.ListToolsResult) (*[]*mcp.Tool, *string) { return &r.Tools, &r.NextCursor })
		res.Tools = show(ctx, g, c, lists.tools, res.Tools)
	case *mcp.ListPromptsResult:
		private(&res.Cacheable)
		err = onePage(res, ask, req, func(r *mcp.ListPromptsResult) (*[]*mcp.Prompt, *string) { return &r.Prompts, &r.NextCursor })
		res.Prompts = show(ctx, g, c, lists.prompts, res.Prompts)
	case *mcp.ListResourcesResult:
		private(&res.Cacheable)
		err = onePage(res, ask, req, func(r *mcp.ListResourcesResult) (*[]*mcp.Resource, *string) { return &r.Resources, &r.NextCursor })
		res.Resources = show(ctx, g, c, lists.resources, res.Resources)
	case *mcp.ListResourceTemplatesResult:
		private(&res.Cacheable)
		err = onePage(res, ask, req, func(r *mcp.ListResourceTemplatesResult) (*[]*mcp.ResourceTemplate, *string) {
			return &r.ResourceTemplates, &r.NextCursor
		})
		res.ResourceTemplates = show(ctx, g, c, lists.templates, res.ResourceTemplates)
	default:
		return nil, fmt.Errorf("mcpgate: a list answers a %T", res)
	}
	if err != nil {
		return nil, err
	}
	return res, nil
}

// show returns what c is shown of all items. Where one message answers the
// request, the items go into it by themselves, and the SDK gets none.
func show[T any](ctx context.Context, g *Gate, c carried, l *list[T], all []*T) []*T {
	if c.answer == nil {
		return l.typed(ctx, g, c, all)
	}
	pieces, err := l.encoded(ctx, g, c, all)
	if err != nil {
		return l.typed(ctx, g, c, all) // of which the SDK says the same
	}
	c.answer.filling.Store(&filling{l.key, pieces})
	return []*T{}
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
