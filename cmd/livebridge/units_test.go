//go:build linux

package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// systemdAnalyze runs systemd-analyze and returns what it printed.
func systemdAnalyze(t *testing.T, args ...string) (string, error) {
	t.Helper()
	path, err := exec.LookPath("systemd-analyze")
	if err != nil {
		skipWithout(t, "systemd-analyze")
	}
	c := exec.CommandContext(t.Context(), path, args...)
	c.Env = append(os.Environ(), "SYSTEMD_COLORS=0", "SYSTEMD_PAGER=")
	out, err := c.CombinedOutput()
	return string(out), err
}

// copiedUnits returns copies of the units whose program exists: this test's binary.
func copiedUnits(t *testing.T) (service, socket string) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"livebridge.service", "livebridge.socket"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "deployments", name))
		if err != nil {
			t.Fatal(err)
		}
		text = bytes.ReplaceAll(text, []byte("/usr/local/bin/livebridge"), []byte(os.Args[0]))
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "livebridge.service"), filepath.Join(dir, "livebridge.socket")
}

// TestUnitsAreValid: systemd has nothing to say against the units.
func TestUnitsAreValid(t *testing.T) {
	service, socket := copiedUnits(t)
	if out, err := systemdAnalyze(t, "verify", "--man=no", service, socket); err != nil || out != "" {
		t.Errorf("%v: %s", err, out)
	}
}

// TestUnitIsConfined: systemd rates the unit's exposure, from 0 (none) to 10, below 1.5.
func TestUnitIsConfined(t *testing.T) {
	service, _ := copiedUnits(t)
	if out, err := systemdAnalyze(t, "security", "--offline=true", "--threshold=15", service); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// TestUnitAllowsItsSystemCalls: the unit's filter has every system call that the service makes, from its start through
// callbacks and commands to its end.
func TestUnitAllowsItsSystemCalls(t *testing.T) {
	t.Parallel()
	allowed := allowedCalls(t)
	strace, err := exec.LookPath("strace")
	if err != nil {
		skipWithout(t, "strace")
	}
	dir, counts := t.TempDir(), filepath.Join(t.TempDir(), "calls")
	service := launchUnder(t, dir, []string{strace, "-f", "-qq", "-c", "-o", counts})
	newProvider().playAll(t, service, 0, 50)
	_ = service.metrics(t)
	succeed(t, dir, "journal", "inspect")
	if err := syscall.Kill(-service.cmd.Process.Pid, syscall.SIGTERM); err != nil { // its group: strace passes none on
		t.Fatal(err)
	}
	service.ends(t)
	made := 0
	for _, call := range countedCalls(t, counts) {
		made++
		if !allowed[call] {
			t.Errorf("the service calls %s, which the unit does not allow", call)
		}
	}
	if made < 20 {
		t.Errorf("%d system calls are counted", made)
	}
}

// allowedCalls returns the system calls that the unit's filters leave.
func allowedCalls(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "deployments", "livebridge.service"))
	if err != nil {
		t.Fatal(err)
	}
	allowed := make(map[string]bool)
	for _, line := range regexp.MustCompile(`(?m)^SystemCallFilter=(~?)(\S+)$`).FindAllStringSubmatch(string(text), -1) {
		for call := range systemCalls(t, line[2]) {
			allowed[call] = line[1] == ""
		}
	}
	return allowed
}

// systemCalls returns the members of one of systemd's sets of system calls.
func systemCalls(t *testing.T, set string) map[string]bool {
	t.Helper()
	out, err := systemdAnalyze(t, "syscall-filter", set)
	if err != nil {
		t.Fatal(err, out)
	}
	all := make(map[string]bool)
	for line := range strings.Lines(out) {
		switch name := strings.TrimSpace(line); {
		case name == set || name == "" || name[0] == '#':
		case name[0] == '@':
			for call := range systemCalls(t, name) {
				all[call] = true
			}
		default:
			all[name] = true
		}
	}
	return all
}

// countedCalls returns the names in a summary of strace.
func countedCalls(t *testing.T, path string) (calls []string) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 5 || !strings.ContainsAny(fields[0], "0123456789") || fields[len(fields)-1] == "total" {
			continue
		}
		calls = append(calls, fields[len(fields)-1])
	}
	return calls
}
