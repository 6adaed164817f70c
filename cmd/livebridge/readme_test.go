package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// printed returns the program in a language that README.md or schemas/README.md prints and that connects to a server,
// to be run against another.
func printed(t *testing.T, language, output, url string) string {
	t.Helper()
	for _, dir := range []string{"", "schemas"} {
		readme, err := os.ReadFile(filepath.Join("..", "..", dir, "README.md"))
		if err != nil {
			t.Fatal(err)
		}
		for _, rest := range strings.Split(string(readme), "\n```"+language+"\n")[1:] {
			if text, _, _ := strings.Cut(rest, "```"); strings.Contains(text, output) {
				return strings.Replace(text, output, url, 1)
			}
		}
	}
	t.Fatalf("no README has a program in %s that connects to %s", language, output)
	return ""
}

// sourceFile writes a program to a file.
func sourceFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestConsumerOfTheREADME builds the Go program that schemas/README.md prints and lets it consume what simulate has
// sent.
func TestConsumerOfTheREADME(t *testing.T) {
	t.Parallel()
	service := launch(t, t.TempDir())
	_, out := played(t, service, nil, "--count", "50", "--disorder", "0")
	consumer := exec.Command(goConsumer(t, service.nats))
	lines, err := consumer.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := consumer.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = consumer.Process.Kill(); _ = consumer.Wait() })
	scanner := bufio.NewScanner(lines)
	for i, event := range out {
		if !scanner.Scan() {
			t.Fatalf("it ended after %d of %d events: %v", i, len(out), scanner.Err())
		}
		subject, data, _ := strings.Cut(scanner.Text(), " ")
		if !strings.HasPrefix(subject, "live.events.push%2Eexample%2Ecom.live.room") || data+"\n" != event {
			t.Errorf("it printed %q for %q", scanner.Text(), event)
		}
	}
}
