package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

// build makes the program in dir and returns its path.
func build(ctx context.Context, dir string) (string, error) {
	binary := filepath.Join(dir, "foyer")
	out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "example.com/foyer/cmd/foyer").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return binary, nil
}

// A server is "foyer demo" as a process of its own, on one folder and one port.
type server struct {
	binary, data, addr string

	cmd   *exec.Cmd
	log   *bytes.Buffer // what the process wrote to its standard error
	dying atomic.Bool   // it is being killed, or is dead
}

// freeAddr returns an address of this device that nobody listens on. Its port
// is below those that systems give to outgoing connections: one of those could
// take it while the server is down.
func freeAddr(rng *rand.Rand) (string, error) {
	var err error
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 15000+rng.IntN(15000))
		var l net.Listener
		if l, err = net.Listen("tcp", addr); err == nil {
			return addr, l.Close()
		}
	}
	return "", fmt.Errorf("no free port: %w", err)
}

// slowest is how long the server may take for what it does by itself: to start,
// and to send a mail.
const slowest = 15 * time.Second

// start starts the server, waits until it answers, and returns how long that
// took.
func (s *server) start(ctx context.Context) (time.Duration, error) {
	begun := time.Now()
	if err := s.launch(ctx); err != nil {
		return 0, err
	}
	if !soon(ctx, func() bool { return healthy(ctx, s.addr) }) {
		return 0, errors.Join(fmt.Errorf("the server did not answer within %v of its start", slowest), s.kill(), s.wait())
	}
	return time.Since(begun), nil
}

func (s *server) launch(ctx context.Context) error {
	s.log = &bytes.Buffer{}
	s.cmd = exec.CommandContext(ctx, s.binary, "demo", "--addr", s.addr, "--data", s.data, "--access-ttl", accessTTL.String())
	s.cmd.Stderr = s.log
	if err := s.cmd.Start(); err != nil {
		return err
	}
	s.dying.Store(false)
	return nil
}

// launchAndKill kills the server as soon as it has made the file of that name.
func (s *server) launchAndKill(ctx context.Context, name string) error {
	if err := s.launch(ctx); err != nil {
		return err
	}
	made := soon(ctx, func() bool {
		_, err := os.Lstat(filepath.Join(s.data, name))
		return err == nil
	})
	err := errors.Join(s.kill(), s.wait())
	if err == nil && !made {
		err = fmt.Errorf("the server did not make %s within %v of its start", name, slowest)
	}
	return err
}

// soon waits until there is true, and reports false where that takes too long.
func soon(ctx context.Context, there func() bool) bool {
	ctx, cancel := context.WithTimeout(ctx, slowest)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !there() {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
	return true
}

func healthy(ctx context.Context, addr string) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/healthz", nil)
	if err != nil {
		return false
	}
	r.Close = true
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// kill sends SIGKILL, which no process can catch. It may be called while
// requests are under way; a second call does nothing.
func (s *server) kill() error {
	if s.dying.Swap(true) {
		return nil
	}
	return s.cmd.Process.Kill()
}

// wait waits for the end of a server that was killed. It is an error that the
// server had ended by itself, or that it logged a fault.
func (s *server) wait() error {
	err := s.cmd.Wait()
	if state := s.cmd.ProcessState.String(); state != "signal: killed" {
		return fmt.Errorf("the server had ended by itself: %v\n%s", err, s.log)
	}
	for line := range strings.Lines(s.log.String()) {
		if strings.Contains(line, " ERROR ") || strings.HasPrefix(line, "panic:") {
			return fmt.Errorf("the server logged a fault:\n%s", s.log)
		}
	}
	return nil
}
