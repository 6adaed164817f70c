package kafka

import (
	"fmt"
	"strings"
	"testing"

	"livebridge/bridge"
	"livebridge/transports/transporttest"
)

// TestEveryByteOfATopic: all 256 in a part of a topic's name.
func TestEveryByteOfATopic(t *testing.T) {
	t.Parallel()
	const stay = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
	for c := range 256 {
		want := fmt.Sprintf("_x%02X", c)
		if strings.IndexByte(stay, byte(c)) >= 0 {
			want = string(rune(c))
		}
		part := string([]byte{byte(c)})
		e := bridge.Event{Lane: bridge.Lane{Kind: bridge.KindStream, Domain: part + "b" + part, App: part}}
		if got := template("live-{domain}-{app}-{kind}").of(&e); got != "live-"+want+"b"+want+"-"+want+"-stream" {
			t.Errorf("byte %02X: the topic is %q", c, got)
		}
	}
	for part, want := range map[string]string{"": "_x00", "_x": "_x5Fx", "__x": "__x5Fx", "_X": "_X", "%5F": "_x255F",
		"é": "_xC3_xA9"} {
		e := bridge.Event{Lane: bridge.Lane{Kind: bridge.KindRecord, Domain: part}}
		if got := template("{domain}").of(&e); got != want {
			t.Errorf("%q became %q, want %q", part, got, want)
		}
	}
}

// TestWholeRecords: an event and a notice of the quarantine as they lie on a broker, to the byte, in both modes.
func TestWholeRecords(t *testing.T) {
	t.Parallel()
	for mode, want := range map[bool][2]string{false: structuredRecords(), true: binaryRecords()} {
		f := startFake(t)
		o := testOptions()
		o.Binary = mode
		p := f.dial(t, o)
		transporttest.Deliver(t, p, transporttest.Whole())
		for i, topic := range []string{o.Topic, o.Quarantine} {
			all := contents(t, f.addrs, topic)
			if len(all) != 1 {
				t.Fatalf("%d records in %s", len(all), topic)
			}
			if got := fmt.Sprintf("%s %v %s", all[0].Key, all[0].Headers, all[0].Payload); got != want[i] {
				t.Errorf("binary %v:\n%s\nwant\n%s", mode, got, want[i])
			}
		}
	}
}

func structuredRecords() [2]string {
	return [2]string{
		`push.example.com/live/room%201 map[content-type:application/cloudevents+json] ` +
			`{"data":{"event":"PUBLISH"},"datacontenttype":"application/json","dataschema":"urn:livebridge:schema:stream:1",` +
			`"id":"01020300000000000000000000000000","marks":"forced,prev_unended",` +
			`"partitionkey":"push.example.com/live/room%201",` +
			`"recordedtime":"2020-04-27T02:22:14.678Z","sequence":"00000000000000000007","session":"1587954130000",` +
			`"signature":"hmac-sha256","source":"/huaweicloud/live/push.example.com/live","specversion":"1.0",` +
			`"subject":"push.example.com/live/room%201","time":"2020-04-27T02:22:11.234Z",` +
			`"type":"com.huaweicloud.live.stream.publish"}`,
		`stream map[content-type:application/cloudevents+json] ` +
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

func binaryRecords() [2]string {
	return [2]string{
		`push.example.com/live/room%201 map[ce_dataschema:urn:livebridge:schema:stream:1 ` +
			`ce_id:01020300000000000000000000000000 ` +
			`ce_marks:forced,prev_unended ce_partitionkey:push.example.com/live/room%201 ` +
			`ce_recordedtime:2020-04-27T02:22:14.678Z ` +
			`ce_sequence:00000000000000000007 ce_session:1587954130000 ce_signature:hmac-sha256 ` +
			`ce_source:/huaweicloud/live/push.example.com/live ce_specversion:1.0 ce_subject:push.example.com/live/room%201 ` +
			`ce_time:2020-04-27T02:22:11.234Z ce_type:com.huaweicloud.live.stream.publish content-type:application/json] ` +
			`{"event":"PUBLISH"}`,
		`stream map[ce_dataschema:urn:livebridge:schema:quarantine:1 ce_id:09000000000000000000000000000000-tampered ` +
			`ce_partitionkey:stream ce_recordedtime:2020-04-27T02:22:14.678Z ce_sequence:00000000000000000003 ` +
			`ce_signature:hmac-sha256 ce_source:/livebridge/quarantine/stream ce_specversion:1.0 ` +
			`ce_subject:push.example.com/live/room%201 ce_time:2020-04-27T02:22:14.678Z ` +
			`ce_type:livebridge.callback.quarantined ` +
			`content-type:application/json] {"reason":"tampered"}`,
	}
}
