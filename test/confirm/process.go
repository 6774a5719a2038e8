package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// A process is a server of the shop, and a client of it.
type process struct {
	cmd     *exec.Cmd
	log     *bytes.Buffer
	session *mcp.ClientSession
	ended   chan struct{}
}

// start starts a server on the shop in a folder, whose clock is so far ahead.
func start(ctx context.Context, dir string, ahead time.Duration) (*process, error) {
	p := &process{log: &bytes.Buffer{}, ended: make(chan struct{})}
	p.cmd = exec.CommandContext(ctx, os.Args[0])
	p.cmd.Env = append(os.Environ(), shopFolder+"="+dir, fmt.Sprintf("%s=%d", shopAhead, ahead/time.Second))
	p.cmd.Stderr = p.log
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	// Not StdoutPipe, which a Wait closes though an answer is still to be read.
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p.cmd.Stdout = write
	if err := errors.Join(p.cmd.Start(), write.Close()); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // its state says how it ended
	}()
	client := mcp.NewClient(&mcp.Implementation{Name: "customer", Version: "1"}, nil)
	if p.session, err = client.Connect(ctx, &mcp.IOTransport{Reader: read, Writer: in}, nil); err != nil {
		return nil, errors.Join(err, p.kill())
	}
	return p, nil
}

// An answer is what a tool has answered.
type answer struct {
	text, data string // the text, and the JSON beside it
	status     string
	token      string
}

// call calls a tool of the shop.
func (p *process) call(ctx context.Context, tool string, arguments any) (answer, error) {
	res, err := p.session.CallTool(ctx, &mcp.CallToolParams{Name: tool, Arguments: arguments})
	if err != nil {
		return answer{}, err
	}
	return read(res)
}

func read(res *mcp.CallToolResult) (a answer, err error) {
	for _, c := range res.Content {
		if t, ok := c.(*mcp.TextContent); ok {
			a.text += t.Text
		}
	}
	data, err := json.Marshal(res.StructuredContent)
	fields, _ := res.StructuredContent.(map[string]any)
	a.data = string(data)
	a.status, _ = fields["status"].(string)
	a.token, _ = fields["confirmationToken"].(string)
	return a, err
}

func (p *process) confirm(ctx context.Context, token string) (answer, error) {
	return p.call(ctx, "confirm_request", map[string]any{"confirmationToken": token})
}

func (p *process) setTrap(ctx context.Context, point string) error {
	_, err := p.call(ctx, "set_trap", map[string]any{"Point": point})
	return err
}

func (p *process) passTime(ctx context.Context, d time.Duration) error {
	_, err := p.call(ctx, "pass_time", map[string]any{"Seconds": d / time.Second})
	return err
}

func (p *process) work(ctx context.Context) error {
	_, err := p.call(ctx, "work", map[string]any{})
	return err
}

// kill sends SIGKILL, and waits for the end.
func (p *process) kill() error {
	_ = p.cmd.Process.Kill() // an error says that it has ended
	return p.wait(context.Background())
}

// wait waits for the end of a process that is killed. It is an error that it ended
// by itself, or lives on.
func (p *process) wait(ctx context.Context) error {
	select {
	case <-p.ended:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(slowest):
		return errAlive
	}
	if p.session != nil {
		_ = p.session.Close() // an error says that the server has gone
	}
	if state := p.cmd.ProcessState.String(); state != "signal: killed" {
		return fmt.Errorf("the server had ended by itself: %s\n%s", state, p.log)
	}
	if log := p.log.String(); strings.Contains(log, "level=ERROR") || strings.Contains(log, "panic:") {
		return fmt.Errorf("the server logged a fault:\n%s", log)
	}
	return nil
}

// slowest is how long anything may take.
const slowest = 10 * time.Second

// errAlive says that a process did not come to the point at which it is killed.
var errAlive = errors.New("the server lives on")
