package nats

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"livebridge/bridge"
	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"
)

// TestEveryByteOfAHeader: all 256, alone and between others. Printable ASCII stays, but for space, quote and percent
// sign.
func TestEveryByteOfAHeader(t *testing.T) {
	t.Parallel()
	const stay = "!#$&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"
	for c := range 256 {
		want := fmt.Sprintf("%%%02X", c)
		if strings.IndexByte(stay, byte(c)) >= 0 {
			want = string(rune(c))
		}
		if got := escapeHeader([]byte{'a', byte(c), 'b', byte(c)}); got != "a"+want+"b"+want {
			t.Errorf("byte %02X became %q", c, got)
		}
	}
}

// TestEveryByteOfAToken: all 256 in each part of a subject. Letters, digits, hyphen, underscore and tilde stay.
func TestEveryByteOfAToken(t *testing.T) {
	t.Parallel()
	const stay = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_~"
	o := DefaultOptions()
	for c := range 256 {
		want := fmt.Sprintf("%%%02X", c)
		if strings.IndexByte(stay, byte(c)) >= 0 {
			want = string(rune(c))
		}
		part := string([]byte{byte(c)})
		e := bridge.Event{Lane: bridge.Lane{Kind: bridge.KindStream, Domain: part, App: "a" + part, Stream: part + part}}
		if got := o.subject(&e); got != "live.events."+want+".a"+want+"."+want+want+".stream" {
			t.Errorf("byte %02X: the subject is %q", c, got)
		}
	}
	e := bridge.Event{Lane: bridge.Lane{Kind: bridge.KindRTCRecord, Domain: "d", Stream: "s"}}
	if got := o.subject(&e); got != "live.events.d.%00.s.rtc-record" {
		t.Errorf("a room without a name: the subject is %q", got)
	}
}

// TestPartitionsOfSubjects: with partitions, all kinds of one stream have the same number behind the prefix, streams
// are spread, and the subjects are those that the stream is checked for. The numbers are what they were in earlier
// versions.
func TestPartitionsOfSubjects(t *testing.T) {
	t.Parallel()
	o := DefaultOptions()
	o.Partitions = 8
	of := func(kind bridge.Kind, stream string) string {
		lane := bridge.Lane{Kind: kind, Domain: "push.example.com", App: "live", Stream: stream}
		subject := o.subject(&bridge.Event{Lane: lane})
		partition, rest, _ := strings.Cut(strings.TrimPrefix(subject, "live.events."), ".")
		if rest != "push%2Eexample%2Ecom.live."+stream+"."+kind.String() || !cover(o.eventSubjects(), []string{subject}) {
			t.Errorf("the subject is %s", subject)
		}
		return partition
	}
	used := make(map[string]int)
	for i := range 800 {
		stream := fmt.Sprint("room", i)
		used[of(bridge.KindStream, stream)]++
		if of(bridge.KindStream, stream) != of(bridge.KindRecord, stream) {
			t.Errorf("the kinds of %s are in different partitions", stream)
		}
	}
	for p := range o.Partitions {
		if n := used[fmt.Sprint(p)]; n < 50 || len(used) != o.Partitions {
			t.Errorf("partition %d has %d of 800 streams; %v", p, n, used)
		}
	}
	got := of(bridge.KindStream, "room1") + of(bridge.KindStream, "room2") + of(bridge.KindStream, "room3")
	if got != "452" {
		t.Errorf("the partitions are %s", got)
	}
	notice := bridge.Event{Lane: bridge.Lane{Kind: bridge.KindStream}, Reason: bridge.ReasonExpired}
	if got := o.subject(&notice); got != "live.quarantine.stream" {
		t.Errorf("the subject of a notice is %s", got)
	}
}

// TestWholeMessages: an event and a notice of the quarantine as they lie on a server, to the byte, in both modes.
func TestWholeMessages(t *testing.T) {
	t.Parallel()
	for mode, want := range map[bool]map[string]string{false: structuredMessages(), true: binaryMessages()} {
		o := testOptions()
		o.Binary = mode
		s := natstest.Start(t, &server.Options{})
		o.URL = s.URL
		transporttest.Deliver(t, dial(t, o), transporttest.Whole())
		js := s.JetStream(t)
		got := make(map[string]string)
		for _, stream := range []string{o.Stream, QuarantineStream} {
			for _, r := range natstest.Records(t, js, stream) {
				got[r.Key] = fmt.Sprintf("%v %s", r.Headers, r.Payload)
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("binary %v:\n%q\nwant\n%q", mode, got, want)
		}
	}
}

func structuredMessages() map[string]string {
	return map[string]string{
		"live.events.push%2Eexample%2Ecom.live.room%201.stream": `map[Nats-Expected-Stream:LIVE_EVENTS ` +
			`Nats-Msg-Id:01020300000000000000000000000000 content-type:application/cloudevents+json] ` +
			`{"data":{"event":"PUBLISH"},"datacontenttype":"application/json","dataschema":"urn:livebridge:schema:stream:1",` +
			`"id":"01020300000000000000000000000000","marks":"forced,prev_unended",` +
			`"partitionkey":"push.example.com/live/room%201",` +
			`"recordedtime":"2020-04-27T02:22:14.678Z","sequence":"00000000000000000007","session":"1587954130000",` +
			`"signature":"hmac-sha256","source":"/huaweicloud/live/push.example.com/live","specversion":"1.0",` +
			`"subject":"push.example.com/live/room%201","time":"2020-04-27T02:22:11.234Z",` +
			`"type":"com.huaweicloud.live.stream.publish"}`,
		"live.quarantine.stream": `map[Nats-Expected-Stream:LIVE_QUARANTINE ` +
			`Nats-Msg-Id:09000000000000000000000000000000-tampered content-type:application/cloudevents+json] ` +
			`{"data":{"reason":"tampered"},"datacontenttype":"application/json",` +
			`"dataschema":"urn:livebridge:schema:quarantine:1",` +
			`"id":"09000000000000000000000000000000-tampered","partitionkey":"stream",` +
			`"recordedtime":"2020-04-27T02:22:14.678Z",` +
			`"sequence":"00000000000000000003","signature":"hmac-sha256","source":"/livebridge/quarantine/stream",` +
			`"specversion":"1.0",` +
			`"subject":"push.example.com/live/room%201","time":"2020-04-27T02:22:14.678Z",` +
			`"type":"livebridge.callback.quarantined"}`,
	}
}

func binaryMessages() map[string]string {
	return map[string]string{
		"live.events.push%2Eexample%2Ecom.live.room%201.stream": `map[Nats-Expected-Stream:LIVE_EVENTS ` +
			`Nats-Msg-Id:01020300000000000000000000000000 ` +
			`ce-datacontenttype:application/json ce-dataschema:urn:livebridge:schema:stream:1 ` +
			`ce-id:01020300000000000000000000000000 ` +
			`ce-marks:forced,prev_unended ce-partitionkey:push.example.com/live/room%25201 ` +
			`ce-recordedtime:2020-04-27T02:22:14.678Z ` +
			`ce-sequence:00000000000000000007 ce-session:1587954130000 ce-signature:hmac-sha256 ` +
			`ce-source:/huaweicloud/live/push.example.com/live ce-specversion:1.0 ce-subject:push.example.com/live/room%25201 ` +
			`ce-time:2020-04-27T02:22:11.234Z ce-type:com.huaweicloud.live.stream.publish content-type:application/json] ` +
			`{"event":"PUBLISH"}`,
		"live.quarantine.stream": `map[Nats-Expected-Stream:LIVE_QUARANTINE ` +
			`Nats-Msg-Id:09000000000000000000000000000000-tampered ` +
			`ce-datacontenttype:application/json ce-dataschema:urn:livebridge:schema:quarantine:1 ` +
			`ce-id:09000000000000000000000000000000-tampered ce-partitionkey:stream ce-recordedtime:2020-04-27T02:22:14.678Z ` +
			`ce-sequence:00000000000000000003 ce-signature:hmac-sha256 ce-source:/livebridge/quarantine/stream ` +
			`ce-specversion:1.0 ` +
			`ce-subject:push.example.com/live/room%25201 ce-time:2020-04-27T02:22:14.678Z ` +
			`ce-type:livebridge.callback.quarantined ` +
			`content-type:application/json] {"reason":"tampered"}`,
	}
}
