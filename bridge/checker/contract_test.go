package checker_test

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/checker"
)

// scenario is a run that breaks the contract of the checker in one place, or comes as near to it as is allowed.
type scenario struct {
	promise     string // a sentence of the package's comments or report, to the letter
	sent        []checker.Sent
	published   []checker.Event
	deadLetters []checker.Event
	config      checker.Config
	want        string // kinds of faults; empty: what the sentence allows
}

// TestContract is a wrong history for every sentence of the contract, beside the nearest right one. A sentence that
// changes takes its histories along.
func TestContract(t *testing.T) {
	text := comments(t)
	for _, group := range [][]scenario{answerScenarios(t), identityScenarios(t), noticeScenarios(t), sequenceScenarios(t),
		holdScenarios(t), markScenarios(t)} {
		for _, h := range group {
			t.Run(h.promise, func(t *testing.T) {
				if !strings.Contains(text, h.promise) {
					t.Errorf("the package does not say so any more: %s", h.promise)
				}
				c := checker.New(h.config)
				for _, e := range h.published {
					c.Published(e) // before what was sent: the two may come in any order
				}
				for _, e := range h.deadLetters {
					c.DeadLetter(e)
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

// answerScenarios are histories of what an answer promises.
func answerScenarios(t *testing.T) []scenario {
	const (
		lost     = "every callback answered 200 is published or in quarantine"
		open     = "a callback without a response that was published, or was not"
		between  = "a 5xx may come from a proxy"
		refused  = "nothing is published that was rejected"
		unsent   = "nothing is published that was not sent"
		ignoring = "callbacks of streams whose name it matches are answered 200 and not published"
	)
	ignore := config
	ignore.Ignore = regexp.MustCompile(`^room1$`)
	out := []scenario{
		{promise: lost, sent: sent(t, "P1 D1 P2"), published: topic(t, "P1 D1"), want: "lost"},
		{promise: lost, sent: sent(t, "P1=503 P1"), want: "lost"},
		{promise: lost, sent: sent(t, "P1 P1=401"), want: "lost"},
		{promise: open, sent: sent(t, "P1=0 D1=0"), published: topic(t, "P1")},
		{promise: unsent, sent: sent(t, "P1=0"), published: topic(t, "P1 D1"), want: "unsent"},
		{promise: unsent, deadLetters: topic(t, "P1"), want: "unsent"},
		{promise: unsent, published: topic(t, "P1:replayed"), want: "unsent"},
		{promise: refused, sent: sent(t, "P1=401 P1=400"), published: topic(t, "P1"), want: "refused"},
		{promise: refused, sent: sent(t, "P1=401"), deadLetters: topic(t, "P1"), want: "refused"},
		{promise: ignoring, sent: sent(t, "P1"), config: ignore},
		{promise: ignoring, sent: sent(t, "P1"), published: topic(t, "P1"), config: ignore, want: "refused"},
	}
	for _, status := range []string{"0", "204", "302", "500", "502", "503", "504"} {
		out = append(out, scenario{promise: between, sent: sent(t, "P1="+status)},
			scenario{promise: between, sent: sent(t, "P1="+status), published: topic(t, "P1")})
	}
	for _, status := range []string{"400", "401", "404", "413", "499"} {
		out = append(out, scenario{promise: refused, sent: sent(t, "P1="+status)},
			scenario{promise: refused, sent: sent(t, "P1="+status), published: topic(t, "P1"), want: "refused"})
	}
	return complete(out)
}

// identityScenarios are histories of one content under several names, and of one name for several contents.
func identityScenarios(t *testing.T) []scenario {
	const (
		once   = "a redelivered callback is one event"
		bytes  = "one id, one content"
		homes  = "An id has one lane, since an occurrence in another lane has another content"
		itself = "whether the content alone identifies the occurrence, in re-signed redeliveries too"
	)
	start := func(id string, n uint64) checker.Event {
		return other(t, bridge.KindRecord, "com.huaweicloud.live.record.start", id, `{"event":"RECORD_START","task_id":"t1"}`,
			n, 0)
	}
	foreign := start("P1", 1)
	twice := topic(t, "P1 D1")
	twice[1].Occurrence = twice[0].Occurrence
	sentAs := func(e checker.Event, codes ...int) (all []checker.Sent) {
		for _, code := range codes {
			all = append(all, checker.Sent{Occurrence: e.Occurrence, Status: code})
		}
		return all
	}
	return complete([]scenario{
		{promise: once, sent: sent(t, "P1 P1 P1"), published: topic(t, "P1 1=P1 1=P1")},
		{promise: once, sent: sentAs(start("a", 1), 200), published: []checker.Event{start("a", 1), start("b", 2)},
			want: "doubled"},
		{promise: once, sent: sentAs(start("a", 1), 200, 401), published: []checker.Event{start("a", 1), start("b", 2)},
			want: "doubled"},
		{promise: once, sent: sentAs(start("a", 1), 200, 503), published: []checker.Event{start("a", 1), start("b", 2)}},
		{promise: itself, sent: sent(t, "P1 P1"), published: []checker.Event{twice[0], twice[1]}, want: "doubled"},
		{promise: bytes, sent: sent(t, "P1"), published: topic(t, "P1 1=P1!"), want: "bytes"},
		{promise: bytes, sent: sent(t, "P1"), published: topic(t, "P1"), deadLetters: topic(t, "P1!"), want: "bytes"},
		{promise: bytes, sent: sent(t, "P1 D1"), published: topic(t, "P1 D1 P1"), want: "bytes inverted"},
		{promise: homes, sent: append(sent(t, "P1"), sentAs(foreign, 200)...), published: append(topic(t, "P1"), foreign),
			want: "bytes"},
		{promise: homes, sent: append(sent(t, "P1"), sentAs(foreign, 200)...),
			published: append(topic(t, "P1"), start("b", 1))},
	})
}

// noticeScenarios are histories of the quarantine.
func noticeScenarios(t *testing.T) []scenario {
	const (
		proof  = "it is rejected, and its notice proves nothing about one that was answered 200"
		read   = "the body of a quarantined callback could not be decoded"
		unsent = "nothing is published that was not sent"
	)
	expired, tampered := quarantined(t, "P1", bridge.ReasonExpired), quarantined(t, "P1", bridge.ReasonTampered)
	unreadable := unread(t, bridge.ReasonMalformed)
	nameless := tampered
	nameless.Name = ""
	event := topic(t, "P1")[0]
	event.Name = ""
	return complete([]scenario{
		{promise: proof, sent: sent(t, "P1=401"), published: []checker.Event{expired}},
		{promise: proof, sent: sent(t, "P1=401 P1"), published: []checker.Event{expired}, want: "lost"},
		{promise: proof, sent: sent(t, "P1"), published: []checker.Event{tampered}},
		{promise: proof, sent: sent(t, "P1=503"), published: []checker.Event{tampered}},
		{promise: proof, sent: sent(t, "P1=401"), published: []checker.Event{tampered}, want: "refused"},
		{promise: read, published: []checker.Event{unreadable, unread(t, bridge.ReasonExpired)}},
		{promise: read, published: []checker.Event{nameless}, want: "unsent"},
		{promise: unsent, published: []checker.Event{nameless, event}, want: "unsent"},
		{promise: unsent, published: []checker.Event{expired}, want: "unsent"},
	})
}

// unread makes the notice of a body that could not be read.
func unread(t *testing.T, reason bridge.Reason) checker.Event {
	t.Helper()
	n := map[bridge.Reason]uint64{bridge.ReasonMalformed: 1, bridge.ReasonExpired: 2}[reason]
	return read(t, &bridge.Event{Type: bridge.TypeQuarantined, Lane: bridge.Lane{Kind: bridge.KindRTCRecord}, Sequence: n,
		Reason: reason, Data: []byte(`{"kind":"rtc-record","reason":"` + string(reason) + `"}`)})
}

// sequenceScenarios are histories of numbers.
func sequenceScenarios(t *testing.T) []scenario {
	const (
		rises  = "the sequence rises by 1 in topic order"
		begins = "The first sequence is not checked"
		dead   = "it is not lost, and its sequence is not missing"
		order  = "events without a mark are in order"
	)
	all := sent(t, "P1 D1 P2")
	return complete([]scenario{
		{promise: rises, sent: all, published: topic(t, "P1 1=D1 2=P2"), want: "sequence"},
		{promise: rises, sent: all, published: topic(t, "P1 D1 1=P2"), want: "sequence"},
		{promise: rises, sent: all, published: topic(t, "P1 D1 2=P2"), want: "sequence"},
		{promise: rises, sent: all, published: topic(t, "P1 D1 4=P2"), want: "sequence"},
		{promise: rises, sent: all, published: topic(t, "P1 3=D1 5=P2"), want: "sequence sequence"},
		{promise: begins, sent: all, published: topic(t, "7=P1 8=D1 9=P2")},
		{promise: dead, sent: all, published: topic(t, "P1 3=P2"), deadLetters: topic(t, "2=D1")},
		{promise: dead, sent: all, published: topic(t, "2=D1 3=P2"), deadLetters: topic(t, "P1")},
		{promise: dead, sent: all, published: topic(t, "3=P2"), deadLetters: topic(t, "P1 2=D1")},
		{promise: dead, sent: all, published: topic(t, "P1 D1"), deadLetters: topic(t, "3=P2")},
		{promise: dead, sent: all, published: topic(t, "P1 D1"), deadLetters: topic(t, "2=P2"), want: "sequence"},
		{promise: dead, sent: all, published: topic(t, "P1"), deadLetters: topic(t, "2=D1 2=P2"), want: "sequence"},
		{promise: order, sent: all, published: topic(t, "P1 P2:prev_unended D1"), want: "inverted"},
		{promise: order, sent: all, published: topic(t, "P1 P2:prev_unended"), deadLetters: topic(t, "3=D1"),
			want: "inverted"},
	})
}

// holdScenarios are histories of holds, on a consumer's clock.
func holdScenarios(t *testing.T) []scenario {
	const (
		longest = "nothing waits longer than its hold"
		served  = "the mark of an ended hold is without forced only if the whole hold has passed"
		unknown = "0: waiting times are not checked"
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
	return complete([]scenario{
		{promise: longest, sent: sent(t, "P1"), published: at(most, "P1")},
		{promise: longest, sent: sent(t, "P1"), published: at(most+ms, "P1"), want: "hold"},
		{promise: longest, sent: sent(t, "P1 D1"), published: at(most+ms, "D1:start_unseen P1:late"), want: "hold"},
		{promise: longest, sent: sent(t, "P1"), published: at(most+ms, "P1:replayed")},
		{promise: unknown, sent: sent(t, "P1"), published: at(most+time.Hour, "P1"), config: loose},
		{promise: served, sent: sent(t, "P1 P2"), published: at(config.HoldNext-2*ms, "P1 P2:prev_unended")},
		{promise: served, sent: sent(t, "P1 P2"), published: at(config.HoldNext-3*ms, "P1 P2:prev_unended"), want: "mark"},
		{promise: served, sent: sent(t, "D1"), published: at(config.HoldDone-2*ms, "D1:start_unseen")},
		{promise: served, sent: sent(t, "D1"), published: at(config.HoldDone-3*ms, "D1:start_unseen"), want: "mark"},
		{promise: served, sent: sent(t, "D1"), published: at(0, "D1:forced,start_unseen")},
	})
}

// markScenarios are histories of marks that no order by session decides.
func markScenarios(t *testing.T) []scenario {
	const (
		word  = "unsequenced is present exactly if the event name is unknown"
		marks = "marks of an order that its kind does not have"
	)
	record := func(kind, name string, m bridge.Marks) checker.Event {
		return other(t, bridge.KindRecord, "com.huaweicloud.live.record."+kind, "a", `{"event":"`+name+`","task_id":"t1"}`, 1,
			m)
	}
	var out []scenario
	add := func(promise string, e checker.Event, want string) {
		out = append(out, scenario{promise: promise, sent: []checker.Sent{{Occurrence: e.Occurrence, Status: 200}},
			published: []checker.Event{e}, want: want})
	}
	add(word, record("unknown", "RECORD_PAUSE", bridge.MarkUnsequenced), "")
	add(word, record("unknown", "RECORD_PAUSE", 0), "mark")
	add(word, record("start", "RECORD_START", 0), "")
	add(word, record("start", "RECORD_START", bridge.MarkUnsequenced), "mark")
	add(word, record("start", "RECORD_START", bridge.MarkReplayed), "")
	add(word, record("unknown", "RECORD_PAUSE", bridge.MarkReplayed), "mark")
	add(word, topic(t, "P1:replayed,unsequenced")[0], "mark")
	for _, m := range []bridge.Marks{bridge.MarkForced, bridge.MarkLate, bridge.MarkPrevUnended, bridge.MarkReopened,
		bridge.MarkStartUnseen} {
		add(marks, record("start", "RECORD_START", m), "mark")
	}
	notice := quarantined(t, "P1", bridge.ReasonTampered)
	notice.Marks = bridge.MarkUnsequenced
	add(word, notice, "mark")
	return complete(out)
}

// complete gives histories without a configuration the usual one.
func complete(all []scenario) []scenario {
	for i := range all {
		if reflect.ValueOf(all[i].config).IsZero() {
			all[i].config = config
		}
	}
	return all
}
