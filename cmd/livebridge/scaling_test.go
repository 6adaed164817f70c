package main

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// goConsumer builds the Go program that schemas/README.md prints, to consume from a server.
func goConsumer(t *testing.T, url string, changes ...string) (binary string) {
	t.Helper()
	text := strings.NewReplacer(changes...).Replace(printed(t, "go", natsURL, url))
	source, binary := sourceFile(t, "main.go", text), filepath.Join(t.TempDir(), "consumer")
	if output, err := exec.Command("go", "build", "-o", binary, source).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	return binary
}

// scaled runs consumers that print to one pipe, in which their lines are in the order in which they were written, and
// returns n distinct lines. It fails when an event of a lane comes after a later one. Repeats are dropped.
func scaled(t *testing.T, binary string, n int, consumers ...[]string) {
	t.Helper()
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = out.Close() })
	for _, args := range consumers {
		consumer := exec.Command(binary, args...)
		consumer.Stdout, consumer.Stderr = in, os.Stderr
		if err := consumer.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = consumer.Process.Kill(); _ = consumer.Wait() })
	}
	_ = in.Close()
	timer := time.AfterFunc(patience, func() { _ = out.Close() })
	defer timer.Stop()
	last, seen := make(map[string]string), make(map[string]bool)
	for lines := bufio.NewScanner(out); len(seen) < n && lines.Scan(); {
		_, data, _ := strings.Cut(lines.Text(), " ")
		var e struct{ Dataschema, Subject, Sequence string }
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
		lane := e.Dataschema + " " + e.Subject
		if seen[lane+e.Sequence] {
			continue
		}
		seen[lane+e.Sequence] = true
		if e.Sequence <= last[lane] {
			t.Errorf("in %s sequence %s comes after %s", lane, e.Sequence, last[lane])
		}
		last[lane] = max(last[lane], e.Sequence)
	}
	if len(seen) != n {
		t.Errorf("%d of %d events were consumed", len(seen), n)
	}
}

// natsURL is where the documents' consumers connect to.
const natsURL = "nats://127.0.0.1:4222"

// TestOrderedWaysToScale runs the ways that schemas/README.md calls ordered, each durable with two processes.
func TestOrderedWaysToScale(t *testing.T) {
	keys := allKeys("HMACSHA256")
	service := launch(t, t.TempDir(), append(keys, prefix+"NATS_PARTITIONS=3")...)
	_, out := played(t, service, keys, "--count", "900", "--streams", "4", "--disorder", "0.2")
	binary := goConsumer(t, service.nats)
	for name, filters := range map[string][]string{
		"one durable":               {"live.events.>"},
		"a durable for each kind":   {"live.events.*.*.*.*.stream", "live.events.*.*.*.*.record", "live.events.*.*.*.*.snapshot", "live.events.*.*.*.*.rtc-record"},
		"a durable for a partition": {"live.events.0.>", "live.events.1.>", "live.events.2.>"},
	} {
		t.Run(name, func(t *testing.T) {
			var consumers [][]string
			for _, filter := range filters {
				durable := strings.NewReplacer(" ", "-", ".", "-", "*", "any", ">", "all").Replace(name + filter)
				consumers = append(consumers, []string{durable, filter}, []string{durable, filter})
			}
			scaled(t, binary, len(out), consumers...)
		})
	}
}
