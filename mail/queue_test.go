package mail_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/foyer/internal/outbox"
	"example.com/foyer/mail"
	"example.com/foyer/store"
	"example.com/foyer/store/sqlite"
)

// A queue is an outbox on a file, which sends to a server over TLS.
type queue struct {
	*server
	*outbox.Outbox
	file  string
	store store.Store

	mu  sync.Mutex
	log strings.Builder
	now time.Time
}

// newQueue makes a queue whose server answers in the way of a test.
func newQueue(t *testing.T, answer func(verb string) string) *queue {
	t.Helper()
	q := &queue{server: newServer(t), file: filepath.Join(t.TempDir(), "queue.db"), now: time.Date(2026, 11, 21, 14, 3, 0, 0, time.UTC)}
	q.answer = answer
	q.server.open()
	q.start()
	t.Cleanup(func() { q.store.Close() })
	return q
}

func (q *queue) start() {
	q.Helper()
	var err error
	if q.store, err = sqlite.Open(q.file); err != nil {
		q.Fatal(err)
	}
	q.Outbox = outbox.New(q.store, q.sender(), write, slog.New(slog.NewTextHandler(q, nil)), q.clock)
}

// restart goes on with the same file in another process, as it were.
func (q *queue) restart() {
	q.Helper()
	if err := q.store.Close(); err != nil {
		q.Fatal(err)
	}
	q.start()
}

func (q *queue) clock() time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.now
}

// Write takes the log.
func (q *queue) Write(p []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.log.Write(p)
}

// write derives the digits, as the kit does.
func write(_ context.Context, out store.Outgoing) (mail.Message, bool, error) {
	to, err := mail.ParseAddress(address)
	return mail.Message{To: to, Subject: "Sign in to Notes", Text: "Your code:\n\n" + digits(out.ID) + "\n", HTML: "<p>Your code</p>"}, true, err
}

func digits(id string) string {
	sum := sha256.Sum256([]byte(id))
	return fmt.Sprintf("%06d", (int(sum[0])<<16|int(sum[1])<<8|int(sum[2]))%1_000_000)
}

// post puts mails into the store, which are worth something for a day.
func (q *queue) post(ids ...string) {
	q.Helper()
	now := q.clock()
	err := q.store.Update(q.Context(), func(tx store.Tx) error {
		for _, id := range ids {
			if err := tx.PutOutgoing(q.Context(), store.Outgoing{ID: id, Kind: "code", Due: now, Created: now, Expires: now.Add(24 * time.Hour)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		q.Fatal(err)
	}
}

// later lets time pass and sends what is due then.
func (q *queue) later(d time.Duration) {
	q.mu.Lock()
	q.now = q.now.Add(d)
	q.mu.Unlock()
	q.Flush(q.Context())
}

// waits reports whether a mail is in the store.
func (q *queue) waits() bool {
	q.Helper()
	var all []store.Outgoing
	err := q.store.View(q.Context(), func(tx store.Tx) (err error) {
		all, err = tx.DueOutgoing(q.Context(), q.clock().Add(1000*time.Hour), 1)
		return err
	})
	if err != nil {
		q.Fatal(err)
	}
	return len(all) > 0
}

var codeLine = regexp.MustCompile(`(?m)^[0-9]{6}\r?$`)

// arrived counts the mails that the server took by their Message-ID, and checks
// that each has the digits that belong to its ID, and the log no secret.
func (q *queue) arrived() map[string]int {
	q.Helper()
	count := make(map[string]int)
	for _, raw := range q.mails() {
		id := regexp.MustCompile(`(?m)^Message-ID: <([^@]*)@example\.com>\r$`).FindStringSubmatch(raw)
		if code := codeLine.FindAllString(raw, -1); len(id) != 2 || len(code) != 1 || strings.TrimSpace(code[0]) != digits(id[1]) {
			q.Fatalf("the mail %q has the digits %q", id, code)
		}
		count[id[1]]++
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, secret := range []string{password, username, address} {
		if strings.Contains(q.log.String(), secret) || len(codeLine.FindAllString(q.log.String(), -1)) > 0 {
			q.Errorf("the log has a secret: %s", q.log.String())
		}
	}
	return count
}

// first has the server answer a verb in one way a few times, and in the usual
// way afterwards.
func first(times int, verb, said string) func(string) string {
	return func(v string) string {
		if v == verb && times > 0 {
			times--
			return said
		}
		return ""
	}
}

func TestAGreylistedMailArrives(t *testing.T) {
	q := newQueue(t, first(3, "RCPT", "451 4.7.1 <"+address+"> greylisted, come back in five minutes"))
	q.post("CODE-1")
	for range 7 {
		q.later(time.Minute)
	}
	if got := q.arrived(); got["CODE-1"] != 1 || len(got) != 1 || q.waits() {
		t.Errorf("arrived: %v; still waits: %v", got, q.waits())
	}
}

// Nobody knows whether the server took the mail: twice is better than never, if
// it is seen to be the same.
func TestAMailWhoseReplyWasLostComesAgainAsTheSame(t *testing.T) {
	q := newQueue(t, first(1, "dot", drop))
	q.post("CODE-1")
	q.later(0)
	q.restart()
	q.later(time.Minute)
	q.later(time.Hour)
	if got := q.arrived(); got["CODE-1"] != 2 || len(got) != 1 || q.waits() {
		t.Errorf("arrived: %v; still waits: %v", got, q.waits())
	}
}

func TestAMailThatComesTooLateDoesNotCome(t *testing.T) {
	down := true
	q := newQueue(t, func(verb string) string {
		if verb == "plain connect" && down {
			return "421 4.3.2 down"
		}
		return ""
	})
	q.post("CODE-1")
	q.later(23 * time.Hour)
	if !q.waits() {
		t.Error("it was given up while it was worth something")
	}
	q.server.mu.Lock()
	down = false
	q.server.mu.Unlock()
	q.later(time.Hour)
	if got := q.arrived(); len(got) != 0 || q.waits() {
		t.Errorf("arrived: %v; still waits: %v", got, q.waits())
	}
}

func TestARefusedMailIsNotTriedAgain(t *testing.T) {
	q := newQueue(t, first(1, "RCPT", "550 5.1.1 <"+address+"> unknown"))
	q.post("CODE-1")
	q.later(0)
	q.later(time.Hour)
	if got := q.arrived(); len(got) != 0 || q.waits() || !strings.Contains(q.log.String(), "550 5.1.1") {
		t.Errorf("arrived: %v; still waits: %v; log: %s", got, q.waits(), q.log.String())
	}
}

func TestMailsWaitForARightPassword(t *testing.T) {
	q := newQueue(t, first(2, "AUTH", "535 5.7.8 "+password+" is wrong"))
	q.post("CODE-1")
	q.later(0)
	q.restart()
	q.later(time.Minute)
	q.restart()
	q.later(time.Minute)
	if got := q.arrived(); got["CODE-1"] != 1 || !strings.Contains(q.log.String(), "level=ERROR") || !strings.Contains(q.log.String(), "Check Username and Password") {
		t.Errorf("arrived: %v; log: %s", got, q.log.String())
	}
}

// Whatever goes wrong, and whenever the process begins anew, each mail arrives:
// once, and once more for each reply that was lost after a mail.
func TestEveryMailArrivesUnderAnyFaults(t *testing.T) {
	faults := []string{"421 4.3.2 busy", "451 4.3.0 later", drop, drop, "nonsense"}
	for seed := range uint64(5) {
		random := rand.New(rand.NewPCG(seed, 65))
		lost, left := 0, 40
		q := newQueue(t, func(verb string) string {
			if verb == "QUIT" || left == 0 || random.IntN(6) > 0 {
				return ""
			}
			left--
			said := faults[random.IntN(len(faults))]
			if verb == "dot" && said == drop {
				lost++
			}
			return said
		})
		var ids []string
		for i := range 12 {
			ids = append(ids, fmt.Sprintf("CODE-%d-%d", seed, i))
		}
		q.post(ids...)
		dice := rand.New(rand.NewPCG(seed, 66))
		for tries := 0; q.waits(); tries++ {
			if tries == 100 {
				t.Fatalf("seed %d: mails still wait: %s", seed, q.log.String())
			}
			q.later(time.Duration(dice.IntN(300)) * time.Second)
			if dice.IntN(3) == 0 {
				q.restart()
			}
		}
		got, total := q.arrived(), 0
		for _, n := range got {
			total += n
		}
		if len(got) != len(ids) || slices.ContainsFunc(ids, func(id string) bool { return got[id] == 0 }) || total != len(ids)+lost {
			t.Errorf("seed %d: %d replies were lost, arrived: %v", seed, lost, got)
		}
	}
}
