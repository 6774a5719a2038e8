// Command foyer runs a server that people can use before they sign in.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// Exit statuses.
const (
	exitFailed = 1
	exitUsage  = 2
)

type cli struct {
	Demo    demo    `cmd:"" help:"Run an example on this device, with an inbox page instead of mail."`
	Explain explain `cmd:"" help:"Tell what the rules of an example decide about a caller, and what would change it."`
	Users   users   `cmd:"" help:"Show, delete and keep users, and give them roles, while a server runs or not."`
	Grants  grants  `cmd:"" help:"Elevate grants for a while, and revoke them, while a server runs or not."`
	Audit   trail   `cmd:"" help:"Verify the audit trail of a demo, or list it."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:]))
}

// run runs the program with the given arguments and returns its exit status.
func run(ctx context.Context, args []string) int {
	status := -1
	parser, err := kong.New(&cli{}, kong.Name("foyer"), kong.Description("MCP servers that people can use before they sign in."),
		kong.UsageOnError(), kong.Exit(func(s int) { status = s }))
	if err != nil {
		fmt.Fprintln(os.Stderr, "foyer:", err)
		return exitFailed
	}
	command, err := parser.Parse(args)
	if status >= 0 { // help was asked for, and printed
		return status
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "foyer:", err)
		return exitUsage
	}
	command.BindTo(ctx, (*context.Context)(nil))
	switch err := command.Run(); {
	case errors.Is(err, errLater), errors.Is(err, errUsage):
		fmt.Fprintln(os.Stderr, "foyer:", err)
		return exitUsage
	case err != nil:
		fmt.Fprintln(os.Stderr, "foyer:", err)
		return exitFailed
	}
	return 0
}
