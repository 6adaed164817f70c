package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// makeRun is `make run` of this test's binary, without the settings of whoever runs the tests.
func makeRun(t *testing.T, more ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath("make")
	if err != nil {
		skipWithout(t, "make")
	}
	c := exec.Command(path, "-C", filepath.Join("..", ".."), "-o", "build", "run", "BIN="+os.Args[0])
	c.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, prefix) })
	c.Env = append(append(c.Env, asProgram+"=1", prefix+"DATA_DIR="+t.TempDir(), prefix+"ADMIN_LISTEN=127.0.0.1:0",
		prefix+"NATS_EMBEDDED_LISTEN=127.0.0.1:0", prefix+"MIN_FREE_BYTES=1MiB"), more...)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return c
}

// TestMakeRunListensOnLoopback: the key of `make run` is public.
func TestMakeRunListensOnLoopback(t *testing.T) {
	c := makeRun(t)
	c.Args = append(c.Args, "-n")
	out, err := c.CombinedOutput()
	if err != nil || !strings.Contains(string(out), prefix+"LISTEN=127.0.0.1:8080 ") {
		t.Errorf("%v: %s", err, out)
	}
}

// TestMakeRunIsInterrupted: an interrupt of the terminal ends the service, and make has nothing to report.
func TestMakeRunIsInterrupted(t *testing.T) {
	c := makeRun(t, prefix+"LISTEN=127.0.0.1:0")
	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	c.Stdout, c.Stderr = file, file
	log := func() string {
		text, err := os.ReadFile(file.Name())
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	kill := func(s syscall.Signal) { _ = syscall.Kill(-c.Process.Pid, s) }
	ended := make(chan error, 1)
	t.Cleanup(func() { kill(syscall.SIGKILL) })
	until(t, "it listens", func() bool { return strings.Contains(log(), "listening for callbacks") })
	kill(syscall.SIGINT)
	go func() { ended <- c.Wait() }()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatalf("it does not end\n%s", log())
	}
	if text := log(); !strings.Contains(text, `"stopped"`) || strings.Contains(text, "***") {
		t.Errorf("%s", text)
	}
}

// TestMakeHelp: `make help`, which is what `make` alone does, has a line for every target.
func TestMakeHelp(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	_, phony, _ := strings.Cut(string(text), "\n.PHONY:")
	phony, rules, _ := strings.Cut(strings.ReplaceAll(phony, "\\\n", ""), "\n")
	targets := strings.Fields(phony)
	if len(targets) < 10 || targets[0] != "help" {
		t.Errorf("the targets are %q", targets)
	}
	first := regexp.MustCompile(`(?m)^([a-z-]+):`).FindStringSubmatch(rules)
	if first == nil || first[1] != "help" {
		t.Errorf("the default target is %q and not help", first)
	}
	for _, target := range targets {
		if !regexp.MustCompile(`(?m)^` + target + `:.* ## \S`).MatchString(rules) {
			t.Errorf("%s has no text for make help", target)
		}
	}
	for _, rule := range regexp.MustCompile(`(?m)^([a-z-]+):`).FindAllStringSubmatch(rules, -1) {
		if !strings.Contains(" "+strings.Join(targets, " ")+" ", " "+rule[1]+" ") {
			t.Errorf("%s is not .PHONY", rule[1])
		}
	}
}
