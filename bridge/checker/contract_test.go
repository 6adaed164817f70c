package checker_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/checker"
)

// history is a run that breaks the contract of the checker in one place, or comes as near to it as is allowed.
type history struct {
	says   string // a sentence of the package's comments or report, to the letter
	sent   []checker.Sent
	out    []checker.Event
	dead   []checker.Event
	config checker.Config
	want   string // kinds of faults; empty: what the sentence allows
}

// TestContract is a wrong history for every sentence of the contract, beside the nearest right one. A sentence that
// changes takes its histories along.
func TestContract(t *testing.T) {
	text := comments(t)
	for _, group := range [][]history{answers(t), identities(t), notices(t), sequences(t), moments(t), remarks(t)} {
		for _, h := range group {
			t.Run(h.says, func(t *testing.T) {
				if !strings.Contains(text, h.says) {
					t.Errorf("the package does not say so any more: %s", h.says)
				}
				c := checker.New(h.config)
				for _, e := range h.out {
					c.Out(e) // before what was sent: the two may come in any order
				}
				for _, e := range h.dead {
					c.Dead(e)
				}
				for _, s := range h.sent {
					c.Sent(s)
				}
				compare(t, c.Report(), h.want)
				compare(t, c.Report(), h.want) // a report changes nothing
			})
		}
	}
}

// comments returns the package's text without the ends of its lines.
func comments(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			all = append(all, strings.Fields(strings.ReplaceAll(line, "//", " "))...)
		}
	}
	return strings.Join(all, " ")
}

// answers are histories of what an answer promises.
func answers(t *testing.T) []history {
	const (
		lost     = "every callback answered 200 comes out or lies in quarantine"
		open     = "a callback without an answer that came out, or did not"
		between  = "a 5xx may come from something in between"
		refused  = "nothing comes out that was refused"
		unsent   = "nothing comes out that was not sent"
		ignoring = "callbacks of streams whose name it matches are answered 200 and do not come out"
	)
	ignore := config
	ignore.Ignore = regexp.MustCompile(`^room1$`)
	out := []history{
		{says: lost, sent: sent(t, "P1 D1 P2"), out: topic(t, "P1 D1"), want: "lost"},
		{says: lost, sent: sent(t, "P1=503 P1"), want: "lost"},
		{says: lost, sent: sent(t, "P1 P1=401"), want: "lost"},
		{says: open, sent: sent(t, "P1=0 D1=0"), out: topic(t, "P1")},
		{says: unsent, sent: sent(t, "P1=0"), out: topic(t, "P1 D1"), want: "unsent"},
		{says: unsent, dead: topic(t, "P1"), want: "unsent"},
		{says: unsent, out: topic(t, "P1:replayed"), want: "unsent"},
		{says: refused, sent: sent(t, "P1=401 P1=400"), out: topic(t, "P1"), want: "refused"},
		{says: refused, sent: sent(t, "P1=401"), dead: topic(t, "P1"), want: "refused"},
		{says: ignoring, sent: sent(t, "P1"), config: ignore},
		{says: ignoring, sent: sent(t, "P1"), out: topic(t, "P1"), config: ignore, want: "refused"},
	}
	for _, status := range []string{"0", "204", "302", "500", "502", "503", "504"} {
		out = append(out, history{says: between, sent: sent(t, "P1="+status)},
			history{says: between, sent: sent(t, "P1="+status), out: topic(t, "P1")})
	}
	for _, status := range []string{"400", "401", "404", "413", "499"} {
		out = append(out, history{says: refused, sent: sent(t, "P1="+status)},
			history{says: refused, sent: sent(t, "P1="+status), out: topic(t, "P1"), want: "refused"})
	}
	return complete(out)
}

// identities are histories of one content under several names, and of one name for several contents.
func identities(t *testing.T) []history {
	const (
		once   = "a callback sent again is one event"
		bytes  = "one id, one content"
		homes  = "it has one, since what happened in another lane has another content"
		itself = "whether its content alone is its identity, however often and however signed it is sent"
	)
	start := func(id string, n uint64) checker.Event {
		return other(t, bridge.KindRecord, "com.huaweicloud.live.record.start", id, `{"event":"RECORD_START","task_id":"t1"}`, n, 0)
	}
	stranger := start("P1", 1)
	twice := topic(t, "P1 D1")
	twice[1].Happening = twice[0].Happening
	ask := func(e checker.Event, codes ...int) (all []checker.Sent) {
		for _, code := range codes {
			all = append(all, checker.Sent{Happening: e.Happening, Status: code})
		}
		return all
	}
	return complete([]history{
		{says: once, sent: sent(t, "P1 P1 P1"), out: topic(t, "P1 1=P1 1=P1")},
		{says: once, sent: ask(start("a", 1), 200), out: []checker.Event{start("a", 1), start("b", 2)}, want: "doubled"},
		{says: once, sent: ask(start("a", 1), 200, 401), out: []checker.Event{start("a", 1), start("b", 2)}, want: "doubled"},
		{says: once, sent: ask(start("a", 1), 200, 503), out: []checker.Event{start("a", 1), start("b", 2)}},
		{says: itself, sent: sent(t, "P1 P1"), out: []checker.Event{twice[0], twice[1]}, want: "doubled"},
		{says: bytes, sent: sent(t, "P1"), out: topic(t, "P1 1=P1!"), want: "bytes"},
		{says: bytes, sent: sent(t, "P1"), out: topic(t, "P1"), dead: topic(t, "P1!"), want: "bytes"},
		{says: bytes, sent: sent(t, "P1 D1"), out: topic(t, "P1 D1 P1"), want: "bytes inverted"},
		{says: homes, sent: append(sent(t, "P1"), ask(stranger, 200)...), out: append(topic(t, "P1"), stranger), want: "bytes"},
		{says: homes, sent: append(sent(t, "P1"), ask(stranger, 200)...), out: append(topic(t, "P1"), start("b", 1))},
	})
}

// notices are histories of the quarantine.
func notices(t *testing.T) []history {
	const (
		proof  = "it is refused, and its notice proves nothing about one that was answered 200"
		read   = "the body of a quarantined callback could not be read"
		unsent = "nothing comes out that was not sent"
	)
	expired, tampered := quarantined(t, "P1", bridge.ReasonExpired), quarantined(t, "P1", bridge.ReasonTampered)
	unreadable := unread(t, bridge.ReasonMalformed)
	nameless := tampered
	nameless.Name = ""
	event := topic(t, "P1")[0]
	event.Name = ""
	return complete([]history{
		{says: proof, sent: sent(t, "P1=401"), out: []checker.Event{expired}},
		{says: proof, sent: sent(t, "P1=401 P1"), out: []checker.Event{expired}, want: "lost"},
		{says: proof, sent: sent(t, "P1"), out: []checker.Event{tampered}},
		{says: proof, sent: sent(t, "P1=503"), out: []checker.Event{tampered}},
		{says: proof, sent: sent(t, "P1=401"), out: []checker.Event{tampered}, want: "refused"},
		{says: read, out: []checker.Event{unreadable, unread(t, bridge.ReasonExpired)}},
		{says: read, out: []checker.Event{nameless}, want: "unsent"},
		{says: unsent, out: []checker.Event{nameless, event}, want: "unsent"},
		{says: unsent, out: []checker.Event{expired}, want: "unsent"},
	})
}

// unread makes the notice of a body that could not be read.
func unread(t *testing.T, reason bridge.Reason) checker.Event {
	t.Helper()
	n := map[bridge.Reason]uint64{bridge.ReasonMalformed: 1, bridge.ReasonExpired: 2}[reason]
	return read(t, &bridge.Event{Type: bridge.TypeQuarantined, Lane: bridge.Lane{Kind: bridge.KindRTCRecord}, Sequence: n,
		Reason: reason, Data: []byte(`{"kind":"rtc-record","reason":"` + string(reason) + `"}`)})
}

// sequences are histories of numbers.
func sequences(t *testing.T) []history {
	const (
		rises  = "the sequence rises by 1 in topic order"
		begins = "Where it begins is not judged"
		dead   = "it is not lost, and its sequence number not missing"
		order  = "events without a mark are in order"
	)
	all := sent(t, "P1 D1 P2")
	return complete([]history{
		{says: rises, sent: all, out: topic(t, "P1 1=D1 2=P2"), want: "sequence"},
		{says: rises, sent: all, out: topic(t, "P1 D1 1=P2"), want: "sequence"},
		{says: rises, sent: all, out: topic(t, "P1 D1 2=P2"), want: "sequence"},
		{says: rises, sent: all, out: topic(t, "P1 D1 4=P2"), want: "sequence"},
		{says: rises, sent: all, out: topic(t, "P1 3=D1 5=P2"), want: "sequence sequence"},
		{says: begins, sent: all, out: topic(t, "7=P1 8=D1 9=P2")},
		{says: dead, sent: all, out: topic(t, "P1 3=P2"), dead: topic(t, "2=D1")},
		{says: dead, sent: all, out: topic(t, "P1 D1"), dead: topic(t, "3=P2")},
		{says: dead, sent: all, out: topic(t, "P1 D1"), dead: topic(t, "2=P2"), want: "sequence"},
		{says: dead, sent: all, out: topic(t, "P1"), dead: topic(t, "2=D1 2=P2"), want: "sequence"},
		{says: order, sent: all, out: topic(t, "P1 P2:prev_unended D1"), want: "inverted"},
		{says: order, sent: all, out: topic(t, "P1 P2:prev_unended"), dead: topic(t, "3=D1"), want: "inverted"},
	})
}

// moments are histories of holds, on a consumer's clock.
func moments(t *testing.T) []history {
	const (
		longest = "nothing waits for longer than its hold"
		served  = "the mark of an ended hold stands without forced only where the whole hold has passed"
		unknown = "0: how long events waited is not judged"
	)
	at := func(waited time.Duration, words string) []checker.Event {
		out := topic(t, words)
		last := &out[len(out)-1]
		last.Seen = last.Recorded + bridge.Millis(waited.Milliseconds())
		return out
	}
	const ms = time.Millisecond
	most := max(config.HoldDone, config.HoldNext) + config.Slack
	loose := config
	loose.Slack = 0
	return complete([]history{
		{says: longest, sent: sent(t, "P1"), out: at(most, "P1")},
		{says: longest, sent: sent(t, "P1"), out: at(most+ms, "P1"), want: "hold"},
		{says: longest, sent: sent(t, "P1 D1"), out: at(most+ms, "D1:start_unseen P1:late"), want: "hold"},
		{says: longest, sent: sent(t, "P1"), out: at(most+ms, "P1:replayed")},
		{says: unknown, sent: sent(t, "P1"), out: at(most+time.Hour, "P1"), config: loose},
		{says: served, sent: sent(t, "P1 P2"), out: at(config.HoldNext-2*ms, "P1 P2:prev_unended")},
		{says: served, sent: sent(t, "P1 P2"), out: at(config.HoldNext-3*ms, "P1 P2:prev_unended"), want: "mark"},
		{says: served, sent: sent(t, "D1"), out: at(config.HoldDone-2*ms, "D1:start_unseen")},
		{says: served, sent: sent(t, "D1"), out: at(config.HoldDone-3*ms, "D1:start_unseen"), want: "mark"},
		{says: served, sent: sent(t, "D1"), out: at(0, "D1:forced,start_unseen")},
	})
}

// remarks are histories of marks that no order by session decides.
func remarks(t *testing.T) []history {
	const (
		word  = "unsequenced stands exactly where the event word is not known"
		marks = "marks of an order that its kind does not have"
	)
	record := func(kind, name string, m bridge.Marks) checker.Event {
		return other(t, bridge.KindRecord, "com.huaweicloud.live.record."+kind, "a", `{"event":"`+name+`","task_id":"t1"}`, 1, m)
	}
	var out []history
	add := func(says string, e checker.Event, want string) {
		out = append(out, history{says: says, sent: []checker.Sent{{Happening: e.Happening, Status: 200}}, out: []checker.Event{e}, want: want})
	}
	add(word, record("unknown", "RECORD_PAUSE", bridge.MarkUnsequenced), "")
	add(word, record("unknown", "RECORD_PAUSE", 0), "mark")
	add(word, record("start", "RECORD_START", 0), "")
	add(word, record("start", "RECORD_START", bridge.MarkUnsequenced), "mark")
	add(word, record("start", "RECORD_START", bridge.MarkReplayed), "")
	add(word, record("unknown", "RECORD_PAUSE", bridge.MarkReplayed), "mark")
	add(word, topic(t, "P1:replayed,unsequenced")[0], "mark")
	for _, m := range []bridge.Marks{bridge.MarkForced, bridge.MarkLate, bridge.MarkPrevUnended, bridge.MarkReopened, bridge.MarkStartUnseen} {
		add(marks, record("start", "RECORD_START", m), "mark")
	}
	notice := quarantined(t, "P1", bridge.ReasonTampered)
	notice.Marks = bridge.MarkUnsequenced
	add(word, notice, "mark")
	return complete(out)
}

// complete gives histories without a configuration the usual one.
func complete(all []history) []history {
	for i := range all {
		if all[i].config == (checker.Config{}) {
			all[i].config = config
		}
	}
	return all
}
