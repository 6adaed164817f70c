package checker_test

import (
	"fmt"
	"strings"
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/checker"
)

// TestCounts is the numbers of a report, each another one.
func TestCounts(t *testing.T) {
	c := checker.New(config)
	for _, s := range sent(t, "P1 D1 P2 D2 P3 P3 P4=401 P4=404 P5=0 P5=503 P6=0") {
		c.Sent(s)
	}
	for _, e := range topic(t, "P1 D1 P2 1=P1 2=D1 3=P2 3=P2") {
		c.Published(e)
	}
	for _, e := range topic(t, "4=D2 5=P3") {
		c.DeadLetter(e)
	}
	notice := quarantined(t, "P4", bridge.ReasonExpired)
	c.Published(notice)
	r := c.Report()
	compare(t, r, "")
	got := fmt.Sprint(r.Sent, r.Accepted, r.Refused, r.Unanswered, r.Published, r.Repeats, r.Quarantined, r.DeadLetters,
		r.Lanes, len(r.Marks))
	if want := "11 6 2 3 8 4 1 2 2 0"; got != want {
		t.Errorf("counted %s, want %s", got, want)
	}
}

// TestDetails are the sentences that people look for the fault by.
func TestDetails(t *testing.T) {
	for _, c := range []struct{ sent, topic, want string }{
		{"P1 D1 P2", "P1 D1 7=P2", "stream:push.example.com/live/room1: 2 is followed by 7: 4 missing"},
		{"P1 D1", "P1 1=D1", "1 is followed by 1 (id 44310000000000000000000000000000): not in sequence order"},
		{"P1 D1", "D1 P1", "PUBLISH of session 1700000001000 comes after PUBLISH_DONE of session 1700000001000 without a " +
			"mark"},
		{"P1", "P1:late", `(id 50310000000000000000000000000000, marks "late"): late, but no later event was published ` +
			`before it`},
		{"P1", "P1:reopened", "reopened, but no other event had its key"},
	} {
		if text := checker.Check(config, sent(t, c.sent), topic(t, c.topic)).String(); !strings.Contains(text, c.want) {
			t.Errorf("%q is not in\n%s", c.want, text)
		}
	}
	notice := quarantined(t, "P1", bridge.ReasonTampered)
	notice.Sequence = 2
	first := quarantined(t, "D1", bridge.ReasonTampered)
	first.Sequence = 2
	text := checker.Check(config, sent(t, "P1 D1"), []checker.Event{first, notice}).String()
	if want := "quarantine:stream: 2 is followed by 2"; !strings.Contains(text, want) {
		t.Errorf("%q is not in\n%s", want, text)
	}
}

// TestFirstTenAreListed: of each kind of fault, and how many more there are.
func TestFirstTenAreListed(t *testing.T) {
	for n, more := range map[int]string{1: "", 10: "", 11: "and 1 more", 25: "and 15 more"} {
		var words []string
		for i := range n {
			words = append(words, fmt.Sprint("P", i+1))
		}
		text := checker.Check(config, sent(t, strings.Join(words, " ")), nil).String()
		if lines := strings.Count(text, "was answered 200 1 times"); lines != min(n, 10) {
			t.Errorf("%d faults in %d lines:\n%s", n, lines, text)
		}
		if strings.Contains(text, "\n  and ") != (more != "") || !strings.Contains(text, more) {
			t.Errorf("%d faults, %q:\n%s", n, more, text)
		}
	}
}
