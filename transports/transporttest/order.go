package transporttest

import (
	"strings"
	"sync"
	"testing"

	"livebridge/bridge"
)

func order(t *testing.T, h Harness) {
	topic, a := h.Open(t, false), &answers{}
	want := events(300, 1, 20)
	a.deliver(t, topic.Publisher, want)
	checkLanes(t, topic.Events(t), want)
	if given := a.total.Load(); given < int64(len(want)) {
		t.Errorf("%d answers for %d events", given, len(want))
	}
}

// manyGoroutines publishes from many goroutines, each with its own lanes and all of its events in flight together.
func manyGoroutines(t *testing.T, h Harness) {
	topic, a := h.Open(t, false), &answers{}
	const goroutines, each = 32, 50
	a.deliver(t, topic.Publisher, events(1, 1, 1)) // the topic is ready now
	all := events(goroutines*each, 2, 1)
	pending := make(chan *bridge.Event, len(all))
	var work sync.WaitGroup
	for g := range goroutines {
		work.Go(func() {
			own := all[g*each : (g+1)*each]
			var inFlight []<-chan error
			for _, e := range own {
				inFlight = append(inFlight, a.try(topic.Publisher, e))
			}
			for i, answer := range inFlight {
				if <-answer != nil {
					pending <- own[i]
				}
			}
		})
	}
	work.Wait()
	close(pending)
	for e := range pending {
		if err := a.publish(t, topic.Publisher, e); err != nil {
			t.Fatal(err)
		}
	}
	a.check(t)
	seen := make(map[string]bool)
	for _, r := range topic.Events(t) {
		seen[string(r.Payload)] = true
	}
	for _, e := range all {
		if !seen[string(e.AppendStructured(nil))] {
			t.Errorf("%v is missing", e.Lane)
		}
	}
}

// tooLarge: an event that the broker can never accept is rejected, affects no other, and never reaches the topic.
func tooLarge(t *testing.T, h Harness) {
	topic, a := h.Patient(t), &answers{}
	fits, large := event(lane(0), 1), event(lane(1), 1)
	fits.Data = []byte(`"` + strings.Repeat("x", h.Fits-2) + `"`)
	large.Data = []byte(`"` + strings.Repeat("x", h.TooLarge-2) + `"`)
	a.deliver(t, topic.Publisher, []*bridge.Event{fits})
	var inFlight []<-chan error
	others := events(50, 2, 1)[2:]
	for _, e := range others[:25] {
		inFlight = append(inFlight, a.try(topic.Publisher, e))
	}
	refused := a.try(topic.Publisher, large)
	for _, e := range others[25:] {
		inFlight = append(inFlight, a.try(topic.Publisher, e))
	}
	if err := await(t, refused, answerTimeout); !bridge.IsRejected(err) {
		t.Errorf("the answer for an event that is too large is %v", err)
	}
	for _, answer := range inFlight {
		if err := await(t, answer, answerTimeout); err != nil {
			t.Errorf("an event beside one that is too large: %v", err)
		}
	}
	a.check(t)
	if got := topic.Events(t); len(got) != 1+len(others) {
		t.Errorf("the topic has %d records, want %d", len(got), 1+len(others))
	}
}
