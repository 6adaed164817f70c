package checker_test

import (
	"fmt"
	"strings"
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/checker"
)

func TestReadSent(t *testing.T) {
	log := `{"n":1,"kind":"stream","subject":"d/a/s","event":"PUBLISH","session":1700000001000,"name":"10.0.0.1","at":5}
{"n":2,"kind":"snapshot","subject":"d/a/s","name":"http://x","status":401}

{"n":1,"status":200,"answered":9}
{"n":3,"kind":"stream","subject":"d/a/s"}
{"n":4,"kind":"stre`
	got, err := checker.ReadSent(strings.NewReader(log))
	if err != nil {
		t.Fatal(err)
	}
	first := checker.Sent{Number: 1, At: 5, Answered: 9, Status: 200, Occurrence: checker.Occurrence{
		Kind: "stream", Subject: "d/a/s", Event: "PUBLISH", Session: 1700000001000, Name: "10.0.0.1"}}
	if len(got) != 3 || got[0] != first || got[1].Status != 401 || got[2].Status != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestReadErrors(t *testing.T) {
	event := string(stream(t, "P1", 1).AppendStructured(nil))
	tests := []struct{ name, log, want string }{
		{"no JSON", "{}x\n", "line 1"},
		{"an answer to nothing", `{"n":1,"status":200}` + "\n", "n 1"},
		{"two answers", `{"n":1,"kind":"stream"}` + "\n" + `{"n":1,"status":503}` + "\n" + `{"n":1,"status":200}` + "\n",
			"line 3: n 1"},
		{"a number twice", `{"n":1,"kind":"stream"}` + "\n" + `{"n":1,"kind":"stream"}` + "\n", "line 2"},
		{"too long", strings.Repeat("x", 2<<20), "line 1"},
	}
	for _, tt := range tests {
		if _, err := checker.ReadSent(strings.NewReader(tt.log)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", tt.name, err, tt.want)
		}
	}
	events := []struct{ name, log, want string }{
		{"no JSON", "x\n", "line 1"},
		{"not one of ours", "{}\n", "specversion"},
		{"short sequence", strings.Replace(event, `"00000000000000000001"`, `"1"`, 1) + "\n", "sequence"},
		{"short session", strings.Replace(event, `"1700000001000"`, `"1700000001"`, 1) + "\n", "session"},
		{"session with a sign", strings.Replace(event, `"1700000001000"`, `"+170000000100"`, 1) + "\n", "session"},
		{"sequence with a sign", strings.Replace(event, `"00000000000000000001"`, `"+0000000000000000001"`, 1) + "\n",
			"sequence"},
		{"no id", strings.Replace(event, `"id"`, `"it"`, 1) + "\n", "id is missing"},
		{"no time", strings.Replace(event, `"recordedtime"`, `"recorded"`, 1) + "\n", "recordedtime"},
		{"another type", strings.Replace(event, `com.huaweicloud`, `com.example`, 1) + "\n", "type"},
		{"quarantine without a reason", strings.Replace(event, `com.huaweicloud.live.stream.publish`, bridge.TypeQuarantined,
			1) + "\n", "reason"},
	}
	for _, tt := range events {
		err := checker.ReadEvents(strings.NewReader(tt.log), func(checker.Event) {})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", tt.name, err, tt.want)
		}
	}
}

func TestReadEvents(t *testing.T) {
	first, second := stream(t, "P1", 1).AppendStructured(nil), stream(t, "P2:forced,prev_unended", 2).AppendStructured(nil)
	log := fmt.Sprintf("%s\n{\"seen\":77,\"event\":%s}\n%s", first, second, first[:40])
	var got []checker.Event
	if err := checker.ReadEvents(strings.NewReader(log), func(e checker.Event) { got = append(got, e) }); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0] != read(t, stream(t, "P1", 1)) || got[0].Seen != 0 {
		t.Fatalf("got %+v", got)
	}
	e := got[1]
	if e.Seen != 77 || e.Sequence != 2 || e.Marks.String() != "forced,prev_unended" || e.Recorded != base ||
		e.Key != (checker.Key{Session: base + 2000, Phase: bridge.PhasePublish}) || e.Occurrence.Name != "10.0.0.1" {
		t.Errorf("got %+v", e)
	}
}

func TestInvalidMarks(t *testing.T) {
	raw := strings.Replace(string(stream(t, "P1:late", 1).AppendStructured(nil)), `"marks":"late"`,
		`"marks":"late,forced"`, 1)
	e, err := checker.ParseEvent([]byte(raw))
	if err != nil || e.InvalidMarks != "late,forced" {
		t.Fatalf("%+v, %v", e, err)
	}
	e.Marks = 0
	r := checker.Check(config, []checker.Sent{{Occurrence: e.Occurrence, Status: 200}}, []checker.Event{e})
	compare(t, r, "mark")
}

func TestReportStandsByItself(t *testing.T) {
	tests := []struct {
		name        string
		sent, topic string
		want        []string
	}{
		{"right", "P1 D1 P1 P2=401 P3=0", "P1 D1 2=D1", []string{
			"5 callbacks: 3 answered 200, 1 rejected, 1 without", "3 events in 1 lanes, of them 1 duplicates", "marks     none",
			"ok        lost", "PASS: no broken promise found"}},
		{"wrong", "P1 D1 P2", "P1 P2:prev_unended", []string{
			"1 FAILED  lost", "stream:push.example.com/live/room1: PUBLISH_DONE of session 1700000001000", "prev_unended 1",
			"FAIL: 1 faults"}},
		{"empty", "", "", []string{"NO DATA"}},
		{"no response", "P1=0 D1=503", "", []string{"2 callbacks: 0 answered 200", "NO DATA"}},
		{"many", "P1 P2 P3 P4 P5 P6 P7 P8 P9 P10 P11 P12", "", []string{"12 FAILED lost", "and 2 more"}},
	}
	for _, tt := range tests {
		r := checker.Check(config, sent(t, tt.sent), topic(t, tt.topic))
		var b strings.Builder
		if n, err := r.WriteTo(&b); err != nil || n != int64(b.Len()) {
			t.Errorf("%s: WriteTo %d, %v", tt.name, n, err)
		}
		for _, text := range tt.want {
			if !strings.Contains(b.String(), text) {
				t.Errorf("%s: %q is missing in\n%s", tt.name, text, &b)
			}
		}
	}
	unjudged := checker.Check(checker.Config{}, nil, nil).String()
	if !strings.Contains(unjudged, "-         hold") {
		t.Errorf("holds are not checked without Slack, and the report does not say so:\n%s", unjudged)
	}
}

// TestInvalidEvents: what is not JSON is an error; an unknown event takes no part in the order, even with a session.
func TestInvalidEvents(t *testing.T) {
	if _, err := checker.ParseEvent([]byte("x")); err == nil {
		t.Error("x is an event")
	}
	raw := strings.Replace(string(stream(t, "P1", 1).AppendStructured(nil)), "live.stream.publish", "live.stream.unknown",
		1)
	e, err := checker.ParseEvent([]byte(raw))
	if err != nil || e.Key.Phase != bridge.PhaseNone {
		t.Fatalf("%+v, %v", e, err)
	}
	compare(t, checker.Check(config, []checker.Sent{{Occurrence: e.Occurrence, Status: 200}}, []checker.Event{e}), "mark")
}
