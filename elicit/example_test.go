package elicit_test

import (
	"context"
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/elicit"
)

func ExampleAddTool() {
	type BookIn struct {
		Day string `json:"day"`
	}
	type BookOut struct {
		Booked string `json:"booked"`
	}
	type Seat struct {
		Seat string `json:"seat" title:"Seat" enum:"inside,garden"`
	}
	type Name struct {
		Name   string `json:"name" title:"Name" min:"1" max:"80"`
		Guests int    `json:"guests" title:"How many of you" min:"1" max:"8" default:"2"`
	}

	var questions *elicit.Questions // kit.Questions()
	addTo := func(server *mcp.Server) {
		elicit.AddTool(questions, server, &mcp.Tool{Name: "book_table", Description: "Book a table. Asks the user where, and in whose name."},
			func(ctx context.Context, ask *elicit.Ask, in BookIn) (BookOut, error) {
				seat, err := elicit.Form[Seat](ask, "seat", "Inside, or in the garden?")
				if err != nil {
					return BookOut{}, err
				}
				name, err := elicit.Form[Name](ask, "name", "In whose name?")
				if err != nil {
					return BookOut{}, err
				}
				// Everything is answered: from here on there may be effects.
				return BookOut{fmt.Sprintf("%s, %s, %d, %s", in.Day, seat.Seat, name.Guests, name.Name)}, nil
			})
	}
	addTo(mcp.NewServer(&mcp.Implementation{Name: "tables", Version: "1"}, nil))
}
