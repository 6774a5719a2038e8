package main

import "example.com/foyer/internal/operation"

// A phase is what is going on when a process dies.
type phase int

const (
	confirming phase = iota
	answered         // the answer is there, and the process dies
	delivering       // in the worker, after a confirmation that was answered
	takingOver       // in the worker, after a run that was lost after its effect
)

// A boundary is a point of one tool's story at which the process dies.
type boundary struct {
	tool, name string
	phase      phase
	point      string // of the trap; empty for any moment
	ends       string // the state in the end; empty where any is right that is true
}

// The tools by their class.
var (
	inTransaction = []string{"book", "order"}
	outside       = []string{"pay", "send", "ask", "erase"}
	classes       = map[string]string{"book": "Transactional", "order": "Outbox", "pay": "Idempotent", "send": "AtMostOnce", "ask": "… Reconciled", "erase": "a plain tool"}
)

// How things end, by tool, that were lost before their effect, and after it.
var (
	lostBefore = map[string]string{"pay": operation.Succeeded, "send": operation.Unknown, "ask": operation.Failed, "erase": operation.Unknown}
	lostAfter  = map[string]string{"pay": operation.Succeeded, "send": operation.Unknown, "ask": operation.Succeeded, "erase": operation.Unknown}
)

// boundaries are all of them.
func boundaries() (all []boundary) {
	for _, tool := range inTransaction {
		all = append(all, transactions(tool)...)
	}
	all = append(all, deliveries()...)
	for _, tool := range outside {
		all = append(all, runs(tool)...)
		all = append(all, takeovers(tool)...)
	}
	return all
}

func transactions(tool string) []boundary {
	const ends = operation.Succeeded
	return []boundary{
		{tool, "before the transaction", confirming, "update 1 before", ends},
		{tool, "before the effect", confirming, beforeEffect, ends},
		{tool, "after the effect", confirming, afterEffect, ends},
		{tool, "before the commit", confirming, "update 1 within", ends},
		{tool, "after the commit", confirming, "update 1 after", ends},
		{tool, "after the answer", answered, "", ends},
		{tool, "at any moment", confirming, "", ends},
	}
}

func deliveries() []boundary {
	const tool, ends = "order", operation.Succeeded
	return []boundary{
		{tool, "delivery: before it is taken", delivering, "update 1 before", ends},
		{tool, "delivery: in that transaction", delivering, "update 1 within", ends},
		{tool, "delivery: after it was taken", delivering, "update 1 after", ends},
		{tool, "delivery: before its effect", delivering, beforeDelivery, ends},
		{tool, "delivery: after its effect", delivering, afterDelivery, ends},
		{tool, "delivery: before its record", delivering, "update 2 before", ends},
		{tool, "delivery: in that transaction", delivering, "update 2 within", ends},
		{tool, "delivery: after its record", delivering, "update 2 after", ends},
		{tool, "delivery: at any moment", delivering, "", ends},
	}
}

func runs(tool string) []boundary {
	before, after := lostBefore[tool], lostAfter[tool]
	const succeeded = operation.Succeeded
	return []boundary{
		{tool, "before it begins", confirming, "update 1 before", succeeded},
		{tool, "in the transaction that begins", confirming, "update 1 within", succeeded},
		{tool, "after it has begun", confirming, "update 1 after", before},
		{tool, "before the effect", confirming, beforeEffect, before},
		{tool, "after the effect", confirming, afterEffect, after},
		{tool, "before the record", confirming, "update 2 before", after},
		{tool, "in the transaction that records", confirming, "update 2 within", after},
		{tool, "after the record", confirming, "update 2 after", succeeded},
		{tool, "after the answer", answered, "", succeeded},
		{tool, "at any moment", confirming, "", ""},
	}
}

// takeovers are those of a process that finds a run which was lost after its effect.
func takeovers(tool string) []boundary {
	ends := lostAfter[tool]
	all := []boundary{
		{tool, "lost, before it is taken", takingOver, "update 1 before", ends},
		{tool, "lost, in that transaction", takingOver, "update 1 within", ends},
		{tool, "lost, after it was taken", takingOver, "update 1 after", ends},
		{tool, "lost, before the record", takingOver, "update 2 before", ends},
		{tool, "lost, in that transaction", takingOver, "update 2 within", ends},
		{tool, "lost, after the record", takingOver, "update 2 after", ends},
		{tool, "lost, at any moment", takingOver, "", ends},
	}
	switch tool {
	case "pay":
		all = append(all,
			boundary{tool, "lost, before the next effect", takingOver, beforeEffect, ends},
			boundary{tool, "lost, after the next effect", takingOver, afterEffect, ends})
	case "ask":
		all = append(all,
			boundary{tool, "lost, before it is settled", takingOver, "update 3 before", ends},
			boundary{tool, "lost, in that transaction", takingOver, "update 3 within", ends},
			boundary{tool, "lost, after it is settled", takingOver, "update 3 after", ends})
	}
	return all
}
