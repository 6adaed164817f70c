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
func goConsumer(t *testing.T, url string) (binary string) {
	t.Helper()
	source, binary := sourceFile(t, "main.go", printed(t, "go", natsURL, url)), filepath.Join(t.TempDir(), "consumer")
	if output, err := exec.Command("go", "build", "-o", binary, source).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	return binary
}

// scaled runs consumers that print to one pipe, in which their lines are in the order in which they were written, until
// n distinct events are there. It fails when an event of a lane comes after a later one. Repeats are dropped.
func scaled(t *testing.T, n int, read func(line string) (lane, sequence string), consumers ...*exec.Cmd) {
	t.Helper()
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = out.Close() })
	for _, consumer := range consumers {
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
		lane, sequence := read(lines.Text())
		if seen[lane+sequence] {
			continue
		}
		seen[lane+sequence] = true
		if sequence <= last[lane] {
			t.Errorf("in %s sequence %s comes after %s", lane, sequence, last[lane])
		}
		last[lane] = max(last[lane], sequence)
	}
	if len(seen) != n {
		t.Errorf("%d of %d events were consumed", len(seen), n)
	}
}

// natsURL is where the documents' consumers connect to.
const natsURL = "nats://127.0.0.1:4222"

// TestOrderedWaysToScale runs the ways that schemas/README.md calls ordered, each durable with two processes.
func TestOrderedWaysToScale(t *testing.T) {
	t.Parallel()
	keys := allKeys("HMACSHA256")
	service := launch(t, t.TempDir(), append(keys, prefix+"NATS_PARTITIONS=3")...)
	_, out := played(t, service, keys, "--count", "900", "--streams", "4", "--disorder", "0.2")
	binary := goConsumer(t, service.nats)
	for name, filters := range map[string][]string{
		"one durable": {"live.events.>"},
		"a durable for each kind": {"live.events.*.*.*.*.stream", "live.events.*.*.*.*.record",
			"live.events.*.*.*.*.snapshot", "live.events.*.*.*.*.rtc-record"},
		"a durable for a partition": {"live.events.0.>", "live.events.1.>", "live.events.2.>"},
	} {
		t.Run(name, func(t *testing.T) {
			var consumers []*exec.Cmd
			for _, filter := range filters {
				durable := strings.NewReplacer(" ", "-", ".", "-", "*", "any", ">", "all").Replace(name + filter)
				consumers = append(consumers, exec.Command(binary, durable, filter), exec.Command(binary, durable, filter))
			}
			scaled(t, len(out), func(line string) (lane, sequence string) {
				_, data, _ := strings.Cut(line, " ")
				var e struct{ Dataschema, Subject, Sequence string }
				if err := json.Unmarshal([]byte(data), &e); err != nil {
					t.Fatalf("%q: %v", line, err)
				}
				return e.Dataschema + " " + e.Subject, e.Sequence
			}, consumers...)
		})
	}
}
