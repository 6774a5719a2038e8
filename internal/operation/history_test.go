package operation

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"example.com/foyer/gate"
	"example.com/foyer/store"
)

// Whatever is called, in whatever order and by whomever: nothing is done twice, what
// has ended stays as it is, the fence only grows, and strangers change nothing.
func TestNoHistoryBreaksAPromise(t *testing.T) {
	db := openWorld(t)
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, db)
		t.Repeat(map[string]func(*rapid.T){
			"preview": w.preview, "preview again": w.preview, "confirm": w.confirm, "confirm again": w.confirm, "confirm as a stranger": w.strange, "fail": w.fail,
			"finish": w.finish, "extend": w.extend, "release": w.release, "look": w.due, "take": w.take, "hold": w.hold, "deliver": w.deliver,
			"end": w.end, "approve": w.approve, "settle": w.settle, "pass": w.pass, "sign out": w.signOut, "collect": w.collect, "": w.check,
		})
	})
}

func (w *world) preview(t *rapid.T) {
	who := rapid.SampledFrom(w.owners).Draw(t, "who")
	tool := rapid.SampledFrom([]string{inside, delivered, repeatable, once}).Draw(t, "tool")
	text := rapid.SampledFrom([]string{"1", "2"}).Draw(t, "arguments")
	o, err := w.rules.Preview(ctx, Draft{Who: who, Tool: tool, Terms: "terms", Arguments: []byte(text), Summary: "Do " + text, Data: []byte(text)})
	wants(t, "preview", err, nil, ErrTooMany, ErrDeclined)
	if err == nil {
		w.ids = append(w.ids, o.ID)
	}
}

// one of all that were shown, as the record was before the act, and its name.
func (w *world) one(t *rapid.T) (string, store.Operation) {
	if len(w.ids) == 0 {
		t.Skip("nothing was shown")
	}
	id := rapid.SampledFrom(w.ids).Draw(t, "id")
	return id, w.before[id]
}

// confirm is what a tool does that is confirmed by whom it was shown to.
func (w *world) confirm(t *rapid.T) {
	id, o := w.one(t)
	w.confirmBy(t, id, o, Who{o.GrantID, o.UserID, o.GuestID})
}

// strange is the same by anybody at all.
func (w *world) strange(t *rapid.T) {
	id, o := w.one(t)
	everybody := append(append([]Who{{}, {"g9", "ann", "v9"}, {"g1", "bob", "v1"}, {"g1", "ann", "v9"}, {"g1", "", "v1"}}, w.owners...), w.former...)
	w.confirmBy(t, id, o, rapid.SampledFrom(everybody).Draw(t, "who"))
}

func (w *world) confirmBy(t *rapid.T, id string, o store.Operation, who Who) {
	c := Confirmation{ID: id, Who: who, Repeatable: o.Tool == repeatable,
		Key:   rapid.SampledFrom([]string{"", "", "", "k1", "k2"}).Draw(t, "key"),
		By:    rapid.SampledFrom([]gate.Confirmation{gate.ByModel, gate.ByClient}).Draw(t, "by"),
		Need:  rapid.SampledFrom([]gate.Confirmation{gate.ByModel, gate.ByModel, gate.ByClient}).Draw(t, "need"),
		Terms: rapid.SampledFrom([]string{"terms", "terms", "terms", "others"}).Draw(t, "terms")}
	var got Turn
	var err error
	committed := o.Tool == inside || o.Tool == delivered
	if committed {
		got, err = w.transact(t, c, o.Tool == delivered)
	} else {
		got, err = w.rules.Begin(ctx, c)
	}
	var undone ActError
	switch {
	case errors.As(err, &undone):
		w.undone = append(w.undone, got.Operation)
		w.unchanged(t, "an act that failed")
	case err != nil:
		wants(t, "confirm", err, ErrGone, ErrUnconfirmed, ErrRekeyed, ErrKeyUsed)
		w.unchanged(t, "a refusal")
	case !w.owns(who, o):
		t.Fatalf("%v may confirm %+v", who, o)
	case got.Run:
		w.ran(t, c, got.Operation)
	case committed && got.Operation.State == Succeeded && w.before[got.Operation.ID].State == Previewed:
		w.ran(t, c, got.Operation)
	case got.Wait > 0:
		w.unchanged(t, "who has to wait")
	}
}

// ran checks that what was begun was to begin.
func (w *world) ran(t *rapid.T, c Confirmation, o store.Operation) {
	b := w.before[o.ID]
	again := b.State == Executing && b.Tool == repeatable && !w.now.Before(b.Due)
	first := b.State == Previewed && w.now.Before(b.Created.Add(previewTTL)) && c.Terms == "terms"
	if !again && !first || o.Confirmed < int(c.Need) || o.Fence != b.Fence+1 {
		t.Fatalf("%+v lets it run\n%+v\nas\n%+v", c, b, o)
	}
	if o.State == Executing {
		w.begun[o.ID]++
		w.runs = append(w.runs, o)
	}
}

// transact does something that fails at times.
func (w *world) transact(t *rapid.T, c Confirmation, deliver bool) (Turn, error) {
	fails := rapid.SampledFrom([]error{nil, nil, errors.New("no")}).Draw(t, "fails")
	return w.rules.Transact(ctx, w.db, c, deliver, func(ctx context.Context, sql store.SQL, o store.Operation) ([]byte, error) {
		if _, err := sql.Exec(ctx, "INSERT INTO acts (id) VALUES ($1)", o.ID); err != nil {
			return nil, err
		}
		return []byte(`{}`), fails
	})
}

func (w *world) fail(t *rapid.T) {
	o := drawn(t, w.undone)
	if _, there := w.before[o.ID]; !there {
		t.Skip("it was cleared away")
	}
	done, err := w.rules.Fail(ctx, o, []byte(`{}`))
	if wants(t, "fail", err, nil); done.State == Previewed {
		t.Fatalf("it failed, and is %+v", done)
	}
}

func drawn(t *rapid.T, from []store.Operation) store.Operation {
	if len(from) == 0 {
		t.Skip("there is none")
	}
	return rapid.SampledFrom(from).Draw(t, "which")
}

// counts reports whether a run is still the one that is under way.
func (w *world) counts(o store.Operation) bool {
	b := w.before[o.ID]
	return b.State == Executing && b.Fence == o.Fence
}

// fenced checks what a run was told that reports.
func (w *world) fenced(t *rapid.T, what string, o store.Operation, err error) {
	if w.counts(o) {
		wants(t, what, err, nil)
		return
	}
	wants(t, what+" of a run that was taken over", err, ErrFenced)
	w.unchanged(t, what+" of a run that was taken over")
}

func (w *world) finish(t *rapid.T) {
	o := drawn(t, w.runs)
	_, err := w.rules.Finish(ctx, o, rapid.SampledFrom([]string{Succeeded, Failed, Unknown}).Draw(t, "state"), []byte(`{}`))
	w.fenced(t, "finish", o, err)
}

func (w *world) extend(t *rapid.T) {
	o := drawn(t, w.runs)
	w.fenced(t, "extend", o, w.rules.Extend(ctx, o))
}

func (w *world) release(t *rapid.T) {
	o := drawn(t, w.runs)
	if o.Tool == repeatable {
		w.fenced(t, "release", o, w.rules.Release(ctx, o, w.now.Add(time.Minute)))
	}
}

func (w *world) due(t *rapid.T) {
	due, err := w.rules.Due(ctx, 100)
	wants(t, "due", err, nil)
	for _, o := range due {
		if w.now.Before(o.Due) || o.State != Executing && o.Tool != delivered {
			t.Fatalf("at %v, this is due: %+v", w.now, o)
		}
	}
	slices.SortFunc(due, func(a, b store.Operation) int { return slices.Index(w.ids, a.ID) - slices.Index(w.ids, b.ID) }) // as in each run
	w.seen = append(w.seen, due...)
}

// take takes what is due now, or was once.
func (w *world) take(t *rapid.T) {
	o := drawn(t, w.seen)
	b, there := w.before[o.ID]
	if !there {
		t.Skip("it was cleared away")
	}
	taken, err := w.rules.Take(ctx, o)
	if b.State != o.State || b.Fence != o.Fence || b.Due.IsZero() || w.now.Before(b.Due) {
		wants(t, "take what another has", err, ErrFenced)
		w.unchanged(t, "take")
		return
	}
	wants(t, "take", err, nil)
	if taken.State == Executing { // to be run again, or called unknown
		w.runs = append(w.runs, taken)
	} else {
		w.deliveries = append(w.deliveries, taken)
	}
}

// delivery is one that somebody has taken, and whether they still have it.
func (w *world) delivery(t *rapid.T) (o store.Operation, mine bool) {
	o = drawn(t, w.deliveries)
	b, there := w.before[o.ID]
	if !there {
		t.Skip("it was cleared away")
	}
	return o, b.Fence == o.Fence && !b.Due.IsZero()
}

func (w *world) hold(t *rapid.T) {
	o, mine := w.delivery(t)
	if err := w.rules.Extend(ctx, o); mine {
		wants(t, "hold", err, nil)
	} else {
		wants(t, "hold what another has", err, ErrFenced)
		w.unchanged(t, "hold what another has")
	}
}

func (w *world) deliver(t *rapid.T) {
	o, mine := w.delivery(t)
	next := rapid.SampledFrom([]time.Time{{}, w.now.Add(time.Hour)}).Draw(t, "next")
	err := w.rules.Delivered(ctx, o, next)
	if !mine {
		wants(t, "a delivery that was taken over", err, ErrFenced)
		w.unchanged(t, "a delivery that was taken over")
		return
	}
	wants(t, "delivered", err, nil)
}

func (w *world) end(t *rapid.T) {
	id, o := w.one(t)
	who := rapid.SampledFrom(append([]Who{{o.GrantID, o.UserID, o.GuestID}}, append(w.owners, w.former...)...)).Draw(t, "who")
	ends := rapid.SampledFrom([]func(context.Context, string, Who) (store.Operation, error){w.rules.Cancel, w.rules.Decline, w.rules.Outdate}).Draw(t, "how")
	_, err := ends(ctx, id, who)
	switch {
	case !w.owns(who, o):
		wants(t, "a stranger's no", err, ErrGone)
		w.unchanged(t, "a stranger's no")
	case o.State == Executing:
		wants(t, "a no to what runs", err, ErrRunning)
		w.unchanged(t, "a no to what runs")
	case o.State != Previewed:
		w.unchanged(t, "a no to what has ended")
	}
}

func (w *world) approve(t *rapid.T) {
	id, o := w.one(t)
	user := rapid.SampledFrom([]string{"", "ann", "bob"}).Draw(t, "user")
	says := rapid.SampledFrom([]func() (store.Operation, error){
		func() (store.Operation, error) { return w.rules.Approve(ctx, id, user, gate.ByPage) },
		func() (store.Operation, error) { return w.rules.Deny(ctx, id, user) },
	}).Draw(t, "yes or no")
	_, err := says()
	if o.UserID != user || user == "" || o.State != Previewed {
		wants(t, "approve", err, ErrGone)
		w.unchanged(t, "approve")
	}
}

// settle says what was found out, which counts for what is unknown alone.
func (w *world) settle(t *rapid.T) {
	_, o := w.one(t)
	if o.ID == "" {
		t.Skip("it was cleared away")
	}
	_, err := w.rules.Settle(ctx, o, rapid.SampledFrom([]string{Succeeded, Failed}).Draw(t, "state"), []byte(`{}`))
	if wants(t, "settle", err, nil); o.State != Unknown {
		w.unchanged(t, "settle")
	}
}

func (w *world) pass(t *rapid.T) {
	w.now = w.now.Add(rapid.SampledFrom([]time.Duration{time.Second, time.Minute, lease, previewTTL, time.Hour, kept + 1}).Draw(t, "time"))
}

func (w *world) signOut(t *rapid.T) {
	i := rapid.IntRange(0, len(w.owners)-1).Draw(t, "whose")
	o := w.owners[i]
	w.former = append(w.former, o)
	w.owners[i].GuestID += "x"
	w.put(t, store.Grant{ID: o.GrantID, UserID: o.UserID, GuestID: w.owners[i].GuestID, Epoch: 1 + len(w.owners[i].GuestID)})
}

func (w *world) collect(t *rapid.T) {
	err := w.db.Update(ctx, func(tx store.Tx) error {
		_, err := tx.DeleteExpired(ctx, w.now, 1000)
		return err
	})
	wants(t, "collect", err, nil)
}
