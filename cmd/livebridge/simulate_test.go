package main

import (
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"livebridge/bridge/simulator"
)

// TestCountIsNotCutShort by the default duration.
func TestCountIsNotCutShort(t *testing.T) {
	for line, want := range map[string]time.Duration{
		"": 10 * time.Second, "--count 5000": 0, "--count 5000 --duration 3s": 3 * time.Second,
	} {
		c, cmd := simulator.DefaultConfig(), &cobra.Command{}
		addSimulateFlags(cmd, &c)
		if err := cmd.ParseFlags(strings.Fields(line)); err != nil {
			t.Fatal(err)
		}
		if limitByCount(cmd, &c); c.Duration != want {
			t.Errorf("%q takes %v", line, c.Duration)
		}
	}
}

// TestSimulateWithoutAService says why there is no response.
func TestSimulateWithoutAService(t *testing.T) {
	t.Setenv(prefix+"STREAM_KEY", demoKey)
	_, errOut, code := runCommand(t, "simulate", "--url", "http://127.0.0.1:1", "--count", "3", "--rate", "0")
	if code != exitFailed || !strings.Contains(errOut,
		"3 callbacks got no response: dial tcp 127.0.0.1:1: connect: connection refused") {
		t.Errorf("exit code %d: %s", code, errOut)
	}
}
