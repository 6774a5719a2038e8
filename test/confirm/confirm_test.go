package main

import (
	"os"
	"strings"
	"testing"
	"time"
)

// TestMain is also the process that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(shopFolder); dir != "" {
		serveAndExit(dir)
	}
	os.Exit(m.Run())
}

// Half of the boundaries; the command plays all, as often as one likes.
func TestT82WhatIsConfirmedSurvivesKills(t *testing.T) {
	var out strings.Builder
	if err := run(t.Context(), options{rounds: 48, seed: 1, timeout: 5 * time.Minute}, &out); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	if !strings.HasSuffix(out.String(), "violations 0\n") {
		t.Errorf("it said\n%s", &out)
	}
}
