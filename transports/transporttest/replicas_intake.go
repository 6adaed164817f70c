package transporttest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"livebridge/bridge"
)

// inputsInOrder: what one caller appends after the other is read in that order, by whoever owns the partition.
func inputsInOrder(t *testing.T, h ReplicasHarness) {
	intake := h.Open(t, 2)
	a, b := intake.Replica(t), intake.Replica(t)
	const callers, each = 8, 25
	appended(t, a, 0, "0 0")
	var work sync.WaitGroup
	for c := range callers {
		r := []*Replica{a, b}[c%2]
		work.Go(func() {
			for n := range each {
				appended(t, r, 1, fmt.Sprint(c, " ", n))
			}
		})
	}
	work.Wait()
	p, _ := taken(t, b, 1)
	seen, last := make(map[int]int), int64(-1)
	for _, r := range readToEnd(t, p) {
		var c, n int
		if _, err := fmt.Sscan(string(r.Value), &c, &n); err != nil || n != seen[c] {
			t.Fatalf("%q is read, and of caller %d the next one is %d", r.Value, c, seen[c])
		}
		if int64(r.Position) <= last || r.Recorded < bridge.MillisOf(time.Now().Add(-time.Hour)) {
			t.Errorf("position %d of %v follows %d", r.Position, r.Recorded, last)
		}
		seen[c], last = n+1, int64(r.Position)
	}
	for c := range callers {
		if seen[c] != each {
			t.Errorf("of caller %d there are %d inputs", c, seen[c])
		}
	}
}

// inputTooLarge: an input that the log will never take is rejected, and others go on.
func inputTooLarge(t *testing.T, h ReplicasHarness) {
	r := h.Open(t, 1).Replica(t)
	appended(t, r, 0, "before")
	if err := r.Intake.Append(within(t), 0, []byte(strings.Repeat("x", h.TooLarge))); !bridge.IsRejected(err) {
		t.Errorf("the answer is %v", err)
	}
	appended(t, r, 0, "after")
	p, _ := taken(t, r, 0)
	if got := readToEnd(t, p); len(got) != 2 || string(got[1].Value) != "after" {
		t.Errorf("the intake has %d inputs", len(got))
	}
}

// endOfIntake: an end is told only if everything that was acknowledged before the call was read.
func endOfIntake(t *testing.T, h ReplicasHarness) {
	r := h.Open(t, 1).Replica(t)
	p, _ := taken(t, r, 0)
	if records := readToEnd(t, p); len(records) > 0 {
		t.Errorf("an empty intake gives %v", records)
	}
	next := uint64(0)
	for n := range 20 {
		input := fmt.Sprint("input ", n)
		appended(t, r, 0, input)
		records := readToEnd(t, p)
		if len(records) != 1 || string(records[0].Value) != input || records[0].Position < next {
			t.Fatalf("after %s the end is told behind %v", input, records)
		}
		next = records[0].Position + 1
	}
}

// endUnderLoad: who keeps up is told the end although there is something to read whenever it asks.
func endUnderLoad(t *testing.T, h ReplicasHarness) {
	r := h.Open(t, 1).Replica(t)
	p, _ := taken(t, r, 0)
	read, ends := 0, 0
	for calls := 0; ends < 3; calls++ { // a slow broker may not tell it each time
		if calls == 500 {
			t.Fatalf("in %d calls that read %d inputs the end was told %d times", calls, read, ends)
		}
		appended(t, r, 0, "input")
		<-time.After(retryPause) // as an owner that commits meanwhile
		records, end, err := p.Read(within(t), answerTimeout)
		if err != nil {
			t.Fatal(err)
		}
		if read += len(records); end && read > 1 {
			ends++
		}
	}
}

// readCancelled: a context that ends costs neither the partition nor an input.
func readCancelled(t *testing.T, h ReplicasHarness) {
	r := h.Open(t, 1).Replica(t)
	p, _ := taken(t, r, 0)
	ctx, cancel := context.WithCancel(within(t))
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, _, err := p.Read(ctx, answerTimeout); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled Read returns %v", err)
	}
	const inputs = 20
	var got []bridge.IntakeRecord
	for n := range inputs {
		appended(t, r, 0, fmt.Sprint(n))
		<-time.After(retryPause)
		records, _, err := p.Read(ctx, answerTimeout)
		if err != nil && (len(records) > 0 || !errors.Is(err, context.Canceled)) {
			t.Errorf("a cancelled Read returns %d inputs and %v", len(records), err)
		}
		got = append(got, records...)
	}
	got = append(got, readToEnd(t, p)...)
	for n, record := range got {
		if string(record.Value) != fmt.Sprint(n) {
			t.Fatalf("input %d is %q", n, record.Value)
		}
	}
	if len(got) != inputs {
		t.Errorf("%d of %d inputs are read", len(got), inputs)
	}
	committed(t, p, bridge.PartitionCommit{})
}
