package checker_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/checker"
)

const base = bridge.Millis(1_700_000_000_000)

var (
	room   = bridge.Lane{Kind: bridge.KindStream, Domain: "push.example.com", App: "live", Stream: "room1"}
	config = checker.Config{HoldDone: 10 * time.Second, HoldNext: 3 * time.Second, Slack: time.Second}
)

// stream makes the event that a word such as P1 or D2:late,forced stands for, with the sequence n. Its id is that of P1
// or D2 and what stands behind a slash: D2/b is another event with the key of D2.
func stream(t *testing.T, word string, n uint64) *bridge.Event {
	t.Helper()
	head, marks, _ := strings.Cut(word, ":")
	key, other, _ := strings.Cut(head, "/")
	var phase string
	var session int
	if _, err := fmt.Sscanf(key, "%1s%d", &phase, &session); err != nil {
		t.Fatalf("%q: %v", word, err)
	}
	e := &bridge.Event{Lane: room, Sequence: n, Marks: parse(marks), Recorded: base, Scheme: bridge.SchemeHMAC,
		Type: "com.huaweicloud.live.stream.publish", Session: base + bridge.Millis(session)*1000, Phase: bridge.PhasePublish}
	name := "PUBLISH"
	if phase == "D" {
		name, e.Phase, e.Type = "PUBLISH_DONE", bridge.PhaseDone, "com.huaweicloud.live.stream.publish_done"
	}
	copy(e.ID[:], head)
	e.Data = fmt.Appendf(nil, `{"event":%q,"node_ip":%q,"publish_timestamp":%d}`, name, "10.0.0.1"+other, e.Session/1000)
	return e
}

func parse(words string) bridge.Marks {
	var m bridge.Marks
	for i := range 7 {
		if mark := bridge.Marks(1 << i); strings.Contains(","+words+",", ","+mark.String()+",") {
			m |= mark
		}
	}
	return m
}

func read(t *testing.T, e *bridge.Event) checker.Event {
	t.Helper()
	out, err := checker.ParseEvent(e.AppendStructured(nil))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// topic makes the events of a lane with the sequences 1, 2, 3 and so on; a word may begin with another: 7=P1. A word
// that ends in ! is an event with other bytes.
func topic(t *testing.T, words string) []checker.Event {
	t.Helper()
	var out []checker.Event
	n := uint64(0)
	for word := range strings.FieldsSeq(words) {
		n++
		if number, rest, ok := strings.Cut(word, "="); ok {
			fmt.Sscan(number, &n)
			word = rest
		}
		e := stream(t, strings.TrimSuffix(word, "!"), n)
		if strings.HasSuffix(word, "!") {
			e.Recorded++
		}
		out = append(out, read(t, e))
	}
	return out
}

// sent makes a request, answered as given, for each word such as P1, P1=401 or P1=0.
func sent(t *testing.T, words string) []checker.Sent {
	t.Helper()
	var out []checker.Sent
	for word := range strings.FieldsSeq(words) {
		key, code, _ := strings.Cut(word, "=")
		status := 200
		if code != "" {
			fmt.Sscan(code, &status)
		}
		out = append(out, checker.Sent{Occurrence: read(t, stream(t, key, 1)).Occurrence, Status: status})
	}
	return out
}

// TestFaults is one wrong history for each fault, beside the nearest right one.
func TestFaults(t *testing.T) {
	tests := []struct {
		name, sent, topic string
		want              string // kinds of faults, in order; empty: right
	}{
		{"all right", "P1 D1 P2", "P1 D1 P2", ""},
		{"lost", "P1 D1", "P1", "lost"},
		{"no answer, lost", "P1 D1=0", "P1", ""},
		{"no answer, not lost", "P1 D1=0", "P1 D1", ""},
		{"not taken, lost", "P1 D1=503", "P1", ""},
		{"never sent", "P1", "P1 D1", "unsent"},
		{"refused", "P1 D1=401", "P1 D1", "refused"},
		{"refused once, accepted once", "P1=401 P1", "P1", ""},
		{"sent twice", "P1 P1", "P1", ""},
		{"published twice", "P1 D1", "P1 D1 1=P1 2=D1", ""},
		{"published twice with other bytes", "P1", "P1 1=P1!", "bytes"},
		{"published twice with two sequences", "P1", "P1 P1", "bytes inverted"},
		{"an operator's replay", "P1 D1", "P1 D1 P1:replayed 3=P1:replayed", ""},
		{"gap", "P1 D1 P2", "P1 D1 4=P2", "sequence"},
		{"a lane begins behind the creation of its journal", "D1", "1791820800000001=D1:start_unseen", ""},
		{"and knows then that nothing came before", "D1", "1791820800000001=D1", "mark"},
		{"a lane that is read from its middle may have had the PUBLISH", "D1", "1791820800000002=D1", ""},
		{"not in the order of the sequence", "P1 D1", "2=D1:start_unseen 1=P1:late", "sequence"},
		{"begins elsewhere", "P1 D1", "8=P1 9=D1", ""},
		{"begins behind what the marks speak of", "P2 D2", "8=P2:prev_unended 9=D2", ""},
		{"only a replay of it is there", "P1", "5=P1:replayed", ""},

		{"inverted", "P1 D1 P2", "P2 P1 D1", "inverted inverted"},
		{"the same, marked", "P1 D1 P2", "P2 P1:late D1:late", ""},
		{"late, but is not", "P1 D1", "P1 D1:late", "mark"},
		{"late at the beginning, but is not", "P1", "P1:late", "mark"},
		{"late after a gap may be", "P1 D1", "P1 3=D1:late", "sequence"},
		{"reopened last", "P1 P1/b", "P1 P1/b:reopened", ""},
		{"reopened held", "P1 D1 D1/b", "D1/b:reopened P1 D1", ""},
		{"reopened nothing", "P1 D1", "P1 D1:reopened", "mark"},
		{"reopened what is below", "P1 D1 P1/b", "P1 D1 P1/b:reopened", "mark"},
		{"reopened without a mark", "P1 P1/b", "P1 P1/b", "inverted"},
		{"previous not ended", "P1 P2", "P1 P2:prev_unended", ""},
		{"the same without the mark", "P1 P2", "P1 P2", "mark"},
		{"the mark without the same", "P1 D1 P2", "P1 D1 P2:prev_unended", "mark"},
		{"start unseen", "D1", "D1:start_unseen", ""},
		{"the same without the mark ", "D1", "D1", "mark"},
		{"the mark without the same ", "P1 D1", "P1 D1:start_unseen", "mark"},
		{"start of another session", "P1 D2", "P1 D2", "mark"},
		{"forced", "P1 D2", "P1 D2:forced,start_unseen", ""},
		{"forced without anything missing", "P1 D1", "P1 D1:forced", "mark"},
		{"late and forced", "P1 P2", "P2 P1:forced,late", "mark"},
		{"reopened and late", "P1 P1/b", "P1 P1/b:late,reopened", "mark"},
		{"replayed and late", "P1", "P1 P1:late,replayed", "mark"},
		{"unsequenced, and so no longer what was sent", "P1", "P1:unsequenced", "lost unsent"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := checker.Check(config, sent(t, tt.sent), topic(t, tt.topic))
			compare(t, r, tt.want)
		})
	}
}

func compare(t *testing.T, r *checker.Report, want string) {
	t.Helper()
	counts := map[checker.FaultKind]int{}
	for kind := range strings.FieldsSeq(want) {
		counts[checker.FaultKind(kind)]++
	}
	for _, f := range r.Faults {
		counts[f.Kind]--
	}
	for kind, n := range counts {
		if n != 0 {
			t.Errorf("%s: %d more than seen; the report:\n%s", kind, n, r)
		}
	}
	if r.OK() != (want == "") {
		t.Errorf("OK %v, want the faults %q", r.OK(), want)
	}
}

func TestTimes(t *testing.T) {
	tests := []struct {
		name, topic string
		seen        time.Duration // the last event, after its arrival
		want        string
	}{
		{"at once", "P1 D1", 0, ""},
		{"held for the whole hold", "P1 P2:prev_unended", 3 * time.Second, ""},
		{"not held for the whole hold", "P1 P2:prev_unended", 2900 * time.Millisecond, "mark"},
		{"a limit's doing", "P1 P2:forced,prev_unended", 100 * time.Millisecond, ""},
		{"a done, not held for the whole hold", "D1:start_unseen", 4 * time.Second, "mark"},
		{"late enough", "P1 D1", 11 * time.Second, ""},
		{"too late", "P1 D1", 11*time.Second + time.Millisecond, "hold"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			events := topic(t, tt.topic)
			last := &events[len(events)-1]
			last.Seen = last.Recorded + bridge.Millis(tt.seen.Milliseconds())
			c := checker.New(config)
			for _, e := range events {
				c.Sent(checker.Sent{Occurrence: e.Occurrence, Status: 200})
				c.Published(e)
			}
			compare(t, c.Report(), tt.want)
		})
	}
}

func TestDeadLettersAreNotMissing(t *testing.T) {
	events := topic(t, "P1 D1 P2")
	c := checker.New(config)
	for _, s := range sent(t, "P1 D1 P2") {
		c.Sent(s)
	}
	c.Published(events[0])
	c.Published(events[2])
	compare(t, c.Report(), "lost sequence")
	c = checker.New(config)
	for _, s := range sent(t, "P1 D1 P2") {
		c.Sent(s)
	}
	c.Published(events[0])
	c.DeadLetter(events[1])
	c.Published(events[2])
	compare(t, c.Report(), "")
}

func TestIgnoredStreams(t *testing.T) {
	c := config
	c.Ignore = regexp.MustCompile(`^room1$`)
	compare(t, checker.Check(c, sent(t, "P1"), nil), "")
	c.Ignore = regexp.MustCompile(`^room$`)
	compare(t, checker.Check(c, sent(t, "P1"), nil), "lost")
}

// other makes an event of a kind whose occurrences a member identifies.
func other(t *testing.T, kind bridge.Kind, eventType, id, data string, n uint64, m bridge.Marks) checker.Event {
	t.Helper()
	lane := room
	lane.Kind = kind
	e := &bridge.Event{Lane: lane, Type: eventType, Sequence: n, Marks: m, Data: []byte(data), Recorded: base}
	copy(e.ID[:], id)
	return read(t, e)
}

func TestOtherKinds(t *testing.T) {
	start := func(id string, n uint64) checker.Event {
		return other(t, bridge.KindRecord, "com.huaweicloud.live.record.start", id, `{"event":"RECORD_START","task_id":"t1"}`,
			n, 0)
	}
	complete := func(id string, n uint64, m bridge.Marks) checker.Event {
		return other(t, bridge.KindRTCRecord, "com.huaweicloud.rtc.record.file_complete", id,
			`{"event":"RECORD_FILE_COMPLETE","job_id":"j1","task_id":"t1"}`, n, m)
	}
	picture := other(t, bridge.KindSnapshot, "com.huaweicloud.live.snapshot.created", "s",
		`{"snapshot_url":"http://x/1.jpg"}`, 1, 0)
	sentAs := func(e checker.Event, times int) []checker.Sent {
		out := make([]checker.Sent, times)
		for i := range out {
			out[i] = checker.Sent{Occurrence: e.Occurrence, Status: 200}
		}
		return out
	}
	tests := []struct {
		name string
		sent []checker.Sent
		out  []checker.Event
		want string
	}{
		{"sent twice, out twice: it does not identify itself", sentAs(start("a", 1), 2),
			[]checker.Event{start("a", 1), start("b", 2)}, ""},
		{"sent once, out twice", sentAs(start("a", 1), 1), []checker.Event{start("a", 1), start("b", 2)}, "doubled"},
		{"a file identifies itself", sentAs(complete("a", 1, 0), 2),
			[]checker.Event{complete("a", 1, 0), complete("b", 2, 0)}, "doubled"},
		{"a mark of another kind", sentAs(complete("a", 1, 0), 1), []checker.Event{complete("a", 1, bridge.MarkLate)},
			"mark"},
		{"a picture", sentAs(picture, 3), []checker.Event{picture}, ""},
		{"a picture lost", sentAs(picture, 1), nil, "lost"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { compare(t, checker.Check(config, tt.sent, tt.out), tt.want) })
	}
	if picture.Name != "http://x/1.jpg" || start("a", 1).Name != "t1" || complete("a", 1, 0).Name != "j1" {
		t.Errorf("names %q, %q, %q", picture.Name, start("a", 1).Name, complete("a", 1, 0).Name)
	}
}

func TestUnsequenced(t *testing.T) {
	data := `{"event":"PUBLISH","node_ip":"10.0.0.1"}`
	publish := "com.huaweicloud.live.stream.publish"
	marked := other(t, bridge.KindStream, publish, "a", data, 1, bridge.MarkUnsequenced)
	bare := other(t, bridge.KindStream, publish, "a", data, 1, 0)
	both := other(t, bridge.KindStream, publish, "a", data, 1, bridge.MarkUnsequenced|bridge.MarkLate)
	sentAs := []checker.Sent{{Occurrence: marked.Occurrence, Status: 200}}
	compare(t, checker.Check(config, sentAs, []checker.Event{marked}), "")
	compare(t, checker.Check(config, sentAs, []checker.Event{bare}), "mark")
	compare(t, checker.Check(config, sentAs, []checker.Event{both}), "mark")
	marked.Session = base
	sentAs[0].Occurrence = marked.Occurrence
	compare(t, checker.Check(config, sentAs, []checker.Event{marked}), "mark")
}
