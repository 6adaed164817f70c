package transporttest

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"livebridge/bridge"
)

// recorded is the commit time of every event of the suite.
const recorded = bridge.Millis(1_767_323_045_678)

// event returns the n-th event of a lane.
func event(l bridge.Lane, n uint64) *bridge.Event {
	e := &bridge.Event{
		Type: "com.huaweicloud.live.stream.publish", Lane: l, Session: recorded - 5000, Phase: bridge.PhasePublish,
		Recorded: recorded, Sequence: n, Scheme: bridge.SchemeHMAC,
		Data: fmt.Appendf(nil, `{"app":"live","event":"PUBLISH","number":%d}`, n),
	}
	e.ID = idOf(l.String(), n)
	return e
}

func idOf(what string, n uint64) (id bridge.ID) {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", what, n))
	copy(id[:], sum[:])
	return id
}

func lane(n int) bridge.Lane {
	return bridge.Lane{Kind: bridge.KindStream, Domain: "push.example.com", App: "live", Stream: fmt.Sprintf("room-%d", n)}
}

// events returns n events for each of some lanes, starting with the sequence first.
func events(lanes int, first, n uint64) []*bridge.Event {
	var out []*bridge.Event
	for s := first; s < first+n; s++ {
		for l := range lanes {
			out = append(out, event(lane(l), s))
		}
	}
	return out
}

// samples are events of every kind and with every attribute.
func samples() []*bridge.Event {
	marked := event(lane(0), 1)
	marked.Marks = bridge.MarkForced | bridge.MarkStartUnseen
	bare := event(lane(1), 2)
	bare.Session, bare.Phase, bare.Scheme, bare.Marks = 0, bridge.PhaseNone, bridge.SchemeNone, bridge.MarkUnsequenced
	spoken := event(bridge.Lane{
		Kind: bridge.KindRecord, Domain: "push.example.com", App: "直播", Stream: `a "b" 100%`}, 1<<60)
	spoken.Data = []byte(`{"app":"直播","event":"RECORD_OVER","unrecognized":{"é":"\u0007\"\\"}}`)
	spoken.Occurred, spoken.Scheme = recorded-123, bridge.SchemeMD5
	picture := event(bridge.Lane{
		Kind: bridge.KindSnapshot, Domain: "push.example.com", App: "live", Stream: "room-0"}, 3)
	room := event(bridge.Lane{Kind: bridge.KindRTCRecord, Domain: "5de1234", App: "", Stream: "u1"}, 1)
	large := event(lane(2), 1)
	large.Data = []byte(`"` + strings.Repeat("x", 100_000) + `"`)
	return []*bridge.Event{marked, bare, spoken, picture, room, large}
}

// notice returns the event of a quarantined callback.
func notice(k bridge.Kind, n uint64) *bridge.Event {
	e := event(bridge.Lane{Kind: k}, n)
	e.Type, e.Reason, e.Subject, e.Session = bridge.TypeQuarantined, bridge.ReasonTampered, lane(0).Subject(), 0
	return e
}

// trickyLanes differ only where an encoding may go wrong.
func trickyLanes() []bridge.Lane {
	names := [][2]string{
		{"a.b", "c"}, {"a", "b.c"}, {"a%2Eb", "c"}, {"a%2eb", "c"}, {"A.B", "c"}, {"a b", "c"}, {"a_b", "c"},
		{"a-b", "c"}, {"a/b", "c"}, {"a", "b/c"}, {"*", "c"}, {">", "c"}, {"%", "c"}, {"%25", "c"}, {"é", "c"},
		{"e\u0301", "c"}, {"日本", "c"}, {"a\"b", "c"}, {"a\\b", "c"}, {"$a", "c"}, {"_xa", "c"}, {"~", "c"},
	}
	var out []bridge.Lane
	for _, n := range names {
		out = append(out, bridge.Lane{Kind: bridge.KindStream, Domain: "d", App: n[0], Stream: n[1]})
	}
	return append(out,
		bridge.Lane{Kind: bridge.KindRTCRecord, Domain: "app", App: "", Stream: "s"},
		bridge.Lane{Kind: bridge.KindRTCRecord, Domain: "app", App: "%00", Stream: "s"},
		bridge.Lane{Kind: bridge.KindRTCRecord, Domain: "app", App: "00", Stream: "s"},
		bridge.Lane{Kind: bridge.KindRTCRecord, Domain: "app", App: "s", Stream: "s"},
		bridge.Lane{Kind: bridge.KindStream,
			Domain: strings.Repeat("d", 253), App: strings.Repeat("é", 127), Stream: strings.Repeat("日", 170)})
}

// Whole are an event and a quarantine notice, for golden records.
func Whole() []*bridge.Event {
	stream := bridge.Event{
		ID: bridge.ID{1, 2, 3}, Type: "com.huaweicloud.live.stream.publish",
		Session: 1587954130000, Phase: bridge.PhasePublish,
		Lane:     bridge.Lane{Kind: bridge.KindStream, Domain: "push.example.com", App: "live", Stream: "room 1"},
		Occurred: 1587954131234, Recorded: 1587954134678, Sequence: 7, Scheme: bridge.SchemeHMAC,
		Marks: bridge.MarkForced | bridge.MarkPrevUnended,
		Data:  []byte(`{"event":"PUBLISH"}`),
	}
	notice := bridge.Event{
		ID: bridge.ID{9}, Type: bridge.TypeQuarantined, Recorded: 1587954134678, Sequence: 3,
		Lane:   bridge.Lane{Kind: bridge.KindStream},
		Scheme: bridge.SchemeHMAC, Reason: bridge.ReasonTampered, Subject: "push.example.com/live/room%201",
		Data: []byte(`{"reason":"tampered"}`),
	}
	return []*bridge.Event{&stream, &notice}
}
