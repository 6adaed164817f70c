package bridge_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"livebridge/bridge"
)

// sampleID is an identity in which every byte differs from the others.
func sampleID() (id bridge.ID) {
	for i := range id {
		id[i] = byte(i*17 + 1)
	}
	return id
}

const sampleIDText = "0112233445566778899aabbccddeef00"

// goldenEvent is an event with a value of its own for everything, and what it is on the wire, to the byte.
type goldenEvent struct {
	name       string
	event      bridge.Event
	structured string
	attributes []string // of binary mode, name=value, in order
}

func stream() bridge.Event {
	return bridge.Event{
		ID: sampleID(), Type: "com.huaweicloud.live.stream.publish_done", Session: 1587954130000, Phase: bridge.PhaseDone,
		Lane:     bridge.Lane{Kind: bridge.KindStream, Domain: "push.example.com", App: "live/a", Stream: "room 1%é.~"},
		Occurred: 1587954131234, Recorded: 1587954134678, Sequence: 18446744073709551615, Scheme: bridge.SchemeHMACLegacy,
		Marks: bridge.MarkForced | bridge.MarkStartUnseen, Data: []byte(`{"event":"PUBLISH_DONE","user_args":"\"&=\\"}`),
	}
}

func goldenStream() goldenEvent {
	return goldenEvent{"stream", stream(), `{"data":{"event":"PUBLISH_DONE","user_args":"\"&=\\"},` +
		`"datacontenttype":"application/json",` +
		`"dataschema":"urn:livebridge:schema:stream:1","id":"` + sampleIDText + `","marks":"forced,start_unseen",` +
		`"partitionkey":"push.example.com/live%2Fa/room%201%25%C3%A9.~","recordedtime":"2020-04-27T02:22:14.678Z",` +
		`"sequence":"18446744073709551615","session":"1587954130000","signature":"hmac-sha256-legacy",` +
		`"source":"/huaweicloud/live/push.example.com/live%2Fa","specversion":"1.0",` +
		`"subject":"push.example.com/live%2Fa/room%201%25%C3%A9.~","time":"2020-04-27T02:22:11.234Z",` +
		`"type":"com.huaweicloud.live.stream.publish_done"}`,
		[]string{
			"datacontenttype=application/json", "dataschema=urn:livebridge:schema:stream:1", "id=" + sampleIDText,
			"marks=forced,start_unseen", "partitionkey=push.example.com/live%2Fa/room%201%25%C3%A9.~",
			"recordedtime=2020-04-27T02:22:14.678Z", "sequence=18446744073709551615", "session=1587954130000",
			"signature=hmac-sha256-legacy", "source=/huaweicloud/live/push.example.com/live%2Fa", "specversion=1.0",
			"subject=push.example.com/live%2Fa/room%201%25%C3%A9.~", "time=2020-04-27T02:22:11.234Z",
			"type=com.huaweicloud.live.stream.publish_done",
		}}
}

// goldenUnsequenced is an event that has neither marks, session nor a time of its own.
func goldenUnsequenced() goldenEvent {
	e := stream()
	e.Marks, e.Occurred, e.Sequence, e.Scheme = bridge.MarkUnsequenced, 0, 7, bridge.SchemeNone
	return goldenEvent{"a session that orders nothing, no time", e,
		`{"data":{"event":"PUBLISH_DONE","user_args":"\"&=\\"},"datacontenttype":"application/json",` +
			`"dataschema":"urn:livebridge:schema:stream:1","id":"` + sampleIDText + `","marks":"unsequenced",` +
			`"partitionkey":"push.example.com/live%2Fa/room%201%25%C3%A9.~","recordedtime":"2020-04-27T02:22:14.678Z",` +
			`"sequence":"00000000000000000007","signature":"none","source":"/huaweicloud/live/push.example.com/live%2Fa",` +
			`"specversion":"1.0","subject":"push.example.com/live%2Fa/room%201%25%C3%A9.~",` +
			`"time":"2020-04-27T02:22:14.678Z","type":"com.huaweicloud.live.stream.publish_done"}`,
		[]string{
			"datacontenttype=application/json", "dataschema=urn:livebridge:schema:stream:1", "id=" + sampleIDText,
			"marks=unsequenced", "partitionkey=push.example.com/live%2Fa/room%201%25%C3%A9.~",
			"recordedtime=2020-04-27T02:22:14.678Z", "sequence=00000000000000000007", "signature=none",
			"source=/huaweicloud/live/push.example.com/live%2Fa", "specversion=1.0",
			"subject=push.example.com/live%2Fa/room%201%25%C3%A9.~", "time=2020-04-27T02:22:14.678Z",
			"type=com.huaweicloud.live.stream.publish_done",
		}}
}

func goldenRTC() goldenEvent {
	e := bridge.Event{
		ID: sampleID(), Type: "com.huaweicloud.rtc.record.file_complete", Occurred: 1587954131234, Recorded: 1587954134678,
		Sequence: 42,
		Lane:     bridge.Lane{Kind: bridge.KindRTCRecord, Domain: "app/1", App: "", Stream: "s"}, Scheme: bridge.SchemeRTC,
		Data: []byte(`{}`),
	}
	return goldenEvent{"SparkRTC, a room without a name", e,
		`{"data":{},"datacontenttype":"application/json","dataschema":"urn:livebridge:schema:rtc-record:1","id":"` +
			sampleIDText +
			`","partitionkey":"app%2F1//s","recordedtime":"2020-04-27T02:22:14.678Z","sequence":"00000000000000000042",` +
			`"signature":"rtc-hmac-sha256","source":"/huaweicloud/rtc/app%2F1","specversion":"1.0","subject":"app%2F1//s",` +
			`"time":"2020-04-27T02:22:11.234Z","type":"com.huaweicloud.rtc.record.file_complete"}`,
		[]string{
			"datacontenttype=application/json", "dataschema=urn:livebridge:schema:rtc-record:1", "id=" + sampleIDText,
			"partitionkey=app%2F1//s", "recordedtime=2020-04-27T02:22:14.678Z", "sequence=00000000000000000042",
			"signature=rtc-hmac-sha256", "source=/huaweicloud/rtc/app%2F1", "specversion=1.0", "subject=app%2F1//s",
			"time=2020-04-27T02:22:11.234Z", "type=com.huaweicloud.rtc.record.file_complete",
		}}
}

func goldenNotice() goldenEvent {
	e := bridge.Event{
		ID: sampleID(), Type: bridge.TypeQuarantined, Recorded: 1587954134678, Sequence: 9,
		Lane:   bridge.Lane{Kind: bridge.KindRecord},
		Scheme: bridge.SchemeMD5, Reason: bridge.ReasonUnknownEvent, Subject: "push.example.com/live%2Fa/room%201",
		Data: []byte(`{"body":{},"kind":"record","reason":"unknown_event"}`),
	}
	return goldenEvent{"a notice of the quarantine", e,
		`{"data":{"body":{},"kind":"record","reason":"unknown_event"},"datacontenttype":"application/json",` +
			`"dataschema":"urn:livebridge:schema:quarantine:1","id":"` + sampleIDText +
			`-unknown_event","partitionkey":"record",` +
			`"recordedtime":"2020-04-27T02:22:14.678Z","sequence":"00000000000000000009","signature":"md5",` +
			`"source":"/livebridge/quarantine/record","specversion":"1.0","subject":"push.example.com/live%2Fa/room%201",` +
			`"time":"2020-04-27T02:22:14.678Z","type":"livebridge.callback.quarantined"}`,
		[]string{
			"datacontenttype=application/json", "dataschema=urn:livebridge:schema:quarantine:1",
			"id=" + sampleIDText + "-unknown_event",
			"partitionkey=record", "recordedtime=2020-04-27T02:22:14.678Z", "sequence=00000000000000000009", "signature=md5",
			"source=/livebridge/quarantine/record", "specversion=1.0", "subject=push.example.com/live%2Fa/room%201",
			"time=2020-04-27T02:22:14.678Z", "type=livebridge.callback.quarantined",
		}}
}

// goldenUnreadable is the notice of a callback whose lane is not known.
func goldenUnreadable() goldenEvent {
	e := bridge.Event{
		ID: sampleID(), Type: bridge.TypeQuarantined, Recorded: 1587954134678, Sequence: 1,
		Lane:   bridge.Lane{Kind: bridge.KindRTCRecord},
		Scheme: bridge.SchemeRTC, Reason: bridge.ReasonMalformed, Data: []byte(`{}`),
	}
	return goldenEvent{"a notice without a lane", e,
		`{"data":{},"datacontenttype":"application/json","dataschema":"urn:livebridge:schema:quarantine:1","id":"` +
			sampleIDText +
			`-malformed","partitionkey":"rtc-record","recordedtime":"2020-04-27T02:22:14.678Z",` +
			`"sequence":"00000000000000000001",` +
			`"signature":"rtc-hmac-sha256","source":"/livebridge/quarantine/rtc-record","specversion":"1.0",` +
			`"time":"2020-04-27T02:22:14.678Z","type":"livebridge.callback.quarantined"}`,
		[]string{
			"datacontenttype=application/json", "dataschema=urn:livebridge:schema:quarantine:1",
			"id=" + sampleIDText + "-malformed",
			"partitionkey=rtc-record", "recordedtime=2020-04-27T02:22:14.678Z", "sequence=00000000000000000001",
			"signature=rtc-hmac-sha256", "source=/livebridge/quarantine/rtc-record", "specversion=1.0",
			"time=2020-04-27T02:22:14.678Z", "type=livebridge.callback.quarantined",
		}}
}

// goldenShared is a notice of one of the partitions that many replicas share.
func goldenShared() goldenEvent {
	g := goldenNotice()
	g.name, g.event.Lane.Stream = "a notice of a partition", "11"
	shared := strings.NewReplacer(`"partitionkey":"record"`, `"partitionkey":"record/11"`,
		"/livebridge/quarantine/record", "/livebridge/quarantine/record/11", "partitionkey=record", "partitionkey=record/11")
	g.structured = shared.Replace(g.structured)
	for i := range g.attributes {
		g.attributes[i] = shared.Replace(g.attributes[i])
	}
	return g
}

// TestGoldenEvents compares every byte of every kind of event in both modes.
func TestGoldenEvents(t *testing.T) {
	for _, w := range []goldenEvent{goldenStream(), goldenUnsequenced(), goldenRTC(), goldenNotice(), goldenUnreadable(),
		goldenShared()} {
		if got := string(w.event.AppendStructured([]byte("before"))); got != "before"+w.structured {
			t.Errorf("%s, structured:\n%s\nwant\n%s", w.name, got, w.structured)
		}
		var got []string
		for name, value := range w.event.Attributes() {
			got = append(got, fmt.Sprintf("%s=%s", name, value))
		}
		if !slices.Equal(got, w.attributes) {
			t.Errorf("%s, binary:\n%s\nwant\n%s", w.name, strings.Join(got, "\n"), strings.Join(w.attributes, "\n"))
		}
	}
}

// TestAttributesEnd: a loop that breaks gets no more attributes.
func TestAttributesEnd(t *testing.T) {
	e := stream()
	n := 0
	for range e.Attributes() {
		if n++; n == 3 {
			break
		}
	}
	if n != 3 {
		t.Errorf("%d attributes after the third", n)
	}
}

// TestDedupeIDs: what a broker compares is the id, and a replay is not what it repeats.
func TestDedupeIDs(t *testing.T) {
	notice := goldenNotice().event
	replay := stream()
	replay.Marks, replay.Sequence = bridge.MarkReplayed|bridge.MarkUnsequenced, 12
	first := stream()
	for want, e := range map[string]bridge.Event{
		sampleIDText: first, sampleIDText + "-unknown_event": notice, sampleIDText + ".12": replay,
	} {
		if got := e.DedupeID(); got != want {
			t.Errorf("%s is compared as %s", want, got)
		}
	}
	if got := first.PartitionKey(); got != "push.example.com/live%2Fa/room%201%25%C3%A9.~" {
		t.Errorf("the record key is %s", got)
	}
}

// TestEveryByteEscaped: all 256, alone and between others.
func TestEveryByteEscaped(t *testing.T) {
	const unescaped = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_~"
	for c := range 256 {
		for dot, literal := range map[bridge.Dot]string{bridge.KeepDot: unescaped + ".", bridge.EscapeDot: unescaped} {
			want := fmt.Sprintf("%%%02X", c)
			if strings.IndexByte(literal, byte(c)) >= 0 {
				want = string(rune(c))
			}
			text := string([]byte{'a', byte(c), 'b', byte(c)})
			if got := string(bridge.AppendEscaped([]byte("."), text, dot)); got != ".a"+want+"b"+want {
				t.Errorf("byte %02X, dot %v: %q", c, dot, got)
			}
		}
		subject := bridge.Lane{Domain: string([]byte{byte(c)}), App: string([]byte{byte(c)}),
			Stream: string([]byte{byte(c)})}.Subject()
		part := string(bridge.AppendEscaped(nil, string([]byte{byte(c)}), bridge.KeepDot))
		if subject != part+"/"+part+"/"+part {
			t.Errorf("byte %02X: the subject is %s", c, subject)
		}
	}
}

// TestStrings: the names in events that consumers compare.
func TestStrings(t *testing.T) {
	for _, k := range bridge.Kinds() {
		if got, found := bridge.ParseKind(k.String()); !found || got != k {
			t.Errorf("%v is read as %v, %v", k, got, found)
		}
	}
	words := []string{fmt.Sprint(bridge.Kinds()), bridge.Kind(0).String(), bridge.Kind(9).String()}
	for s := range bridge.Scheme(6) {
		words = append(words, s.String())
	}
	for m := range 7 {
		words = append(words, bridge.Marks(1<<m).String())
	}
	want := "[stream record snapshot rtc-record] unknown unknown none hmac-sha256 hmac-sha256-legacy md5 " +
		"rtc-hmac-sha256 none " +
		"forced late prev_unended reopened replayed start_unseen unsequenced"
	if got := strings.Join(words, " "); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if _, found := bridge.ParseKind("unknown"); found {
		t.Error("there is no kind unknown")
	}
	all := bridge.Marks(127)
	if all.String() != "forced,late,prev_unended,reopened,replayed,start_unseen,unsequenced" ||
		bridge.Marks(0).String() != "" {
		t.Errorf("all marks are %q", all)
	}
	for a := range bridge.Marks(128) {
		for b := range bridge.Marks(128) {
			if a.Has(b) != (a|b == a) {
				t.Fatalf("%v has %v: %v", a, b, a.Has(b))
			}
		}
	}
	for word, want := range map[string]bool{"com.huaweicloud.live.stream.unknown": true,
		"com.huaweicloud.live.stream.publish": false, "unknown": false} {
		if e := (&bridge.Event{Type: word}); e.Unknown() != want {
			t.Errorf("%s is unknown: %v", word, e.Unknown())
		}
	}
	for session, want := range map[bridge.Millis]bool{0: false, 1: true, 100 + bridge.MaxSessionAhead: true,
		101 + bridge.MaxSessionAhead: false} {
		if bridge.Sequenced(session, 100) != want {
			t.Errorf("session %d is sequenced: %v", session, !want)
		}
	}
}
