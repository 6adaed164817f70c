package callback_test

import (
	"strings"
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/callback"
)

func TestPolicy(t *testing.T) {
	const (
		stream = `{"app":"live","client_ip":"IP","domain":"push.example.com","event":"PUBLISH",` +
			`"publish_timestamp":1587954134,` +
			`"stream":"room","user_args":"ARGS"}`
		deep = `{"app":"live","domain":"push.example.com","event":"PUBLISH","stream":"room","User-Args":"ARGS",` +
			`"user_args":7,"clientIp":"IP",` +
			`"more":[1e400,{"user\u005fargs":{"a":"ARGS"},"list":[12345678901234567890,{"CLIENT_IP":["IP"],"b":"\u00fc"}],` +
			`"z":null}]}`
		snapshot = `{"app":"a","client_ip":"IP","domain":"d","snapshot_url":"u","stream_name":"s","user_args":["ARGS"]}`
	)
	for _, test := range []struct {
		name   string
		policy callback.Policy
		kind   bridge.Kind
		body   string
		want   string // of the data, what is between the members that never change
	}{
		{"keep", callback.Policy{}, bridge.KindStream, stream, `"client_ip":"IP" "user_args":"ARGS"`},
		{"redact", callback.Policy{UserArgs: callback.Redact, ClientIP: callback.Redact}, bridge.KindStream, stream,
			`"client_ip":"[redacted]" "user_args":"[redacted]"`},
		{"drop", callback.Policy{UserArgs: callback.Drop, ClientIP: callback.Drop}, bridge.KindStream, stream, ``},
		{"each its own", callback.Policy{UserArgs: callback.Drop, ClientIP: callback.Redact}, bridge.KindStream, stream,
			`"client_ip":"[redacted]"`},
		{"keep where not known", callback.Policy{}, bridge.KindSnapshot, snapshot,
			`"unrecognized":{"client_ip":"IP","user_args":["ARGS"]}`},
		{"redact where not known", callback.Policy{UserArgs: callback.Redact}, bridge.KindSnapshot, snapshot,
			`"unrecognized":{"client_ip":"IP","user_args":"[redacted]"}`},
		{"redact however written and wherever", callback.Policy{UserArgs: callback.Redact, ClientIP: callback.Redact},
			bridge.KindStream, deep,
			`"unrecognized":{"User-Args":"[redacted]","clientIp":"[redacted]","more":[1e400,{"list":[12345678901234567890,` +
				`{"CLIENT_IP":"[redacted]","b":"ü"}],"user_args":"[redacted]","z":null}],"user_args":"[redacted]"}`},
		{"drop however written and wherever", callback.Policy{UserArgs: callback.Drop, ClientIP: callback.Drop},
			bridge.KindStream, deep,
			`"unrecognized":{"more":[1e400,{"list":[12345678901234567890,{"b":"ü"}],"z":null}]}`},
		{"keep however written", callback.Policy{}, bridge.KindStream, deep,
			`"unrecognized":{"User-Args":"ARGS","clientIp":"IP","more":[1e400,{"list":[12345678901234567890,` +
				`{"CLIENT_IP":["IP"],"b":"ü"}],"user_args":{"a":"ARGS"},"z":null}],"user_args":7}`},
		{"drop where not known", callback.Policy{UserArgs: callback.Drop, ClientIP: callback.Drop}, bridge.KindSnapshot,
			snapshot, ``},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := decode(t, test.kind, test.body)
			e, _ := c.Event(test.policy, callback.Nonce{}, fixedNow)
			for part := range strings.FieldsSeq(test.want) {
				if !strings.Contains(string(e.Data), part) {
					t.Errorf("%s is not in %s", part, e.Data)
				}
			}
			for _, secret := range []string{"client_ip", "user_args", "IP", "ARGS", "unrecognized"} {
				if !strings.Contains(test.want, secret) && strings.Contains(string(e.Data), secret) {
					t.Errorf("%s is in %s", secret, e.Data)
				}
			}
			if kept, _ := c.Event(callback.Policy{}, callback.Nonce{}, fixedNow); kept.ID != e.ID {
				t.Errorf("the policy changes the id")
			}
		})
	}
}

func TestRedactionText(t *testing.T) {
	for _, want := range []callback.Redaction{callback.Keep, callback.Redact, callback.Drop} {
		var got callback.Redaction
		if err := got.UnmarshalText([]byte(want.String())); err != nil || got != want {
			t.Errorf("%v is read as %v (%v)", want, got, err)
		}
	}
	d := callback.Drop
	if err := d.UnmarshalText([]byte("Keep")); err == nil || d != callback.Drop {
		t.Errorf("Keep is read as %v (%v)", d, err)
	}
}

// TestEventOrderFields: session, phase and time, which decide on the event's place.
func TestEventOrderFields(t *testing.T) {
	const session = bridge.Millis(1587954134000)
	record := func(eventName string) string {
		return `{"publish_domain":"d","app":"a","stream":"s","event_type":"` + eventName + `"`
	}
	for _, test := range []struct {
		name     string
		kind     bridge.Kind
		body     string
		session  bridge.Millis
		phase    bridge.Phase
		occurred bridge.Millis
	}{
		{"PUBLISH", bridge.KindStream, `{"publish_timestamp":"1587954134"` + headers, session, bridge.PhasePublish, session},
		{"PUBLISH_DONE", bridge.KindStream, `{"publish_timestamp":"1587954134","event":"PUBLISH_DONE"` +
			strings.Replace(headers, `,"event":"PUBLISH"`, "", 1), session, bridge.PhaseDone, 0},
		{"unknown word", bridge.KindStream, `{"publish_timestamp":"1587954134","event":"PUBLISH_PAUSE"` +
			strings.Replace(headers, `,"event":"PUBLISH"`, "", 1), 0, bridge.PhaseNone, 0},
		{"session five minutes ahead", bridge.KindStream, `{"publish_timestamp":1767323345678` + headers,
			fixedNow + 5*minute, bridge.PhasePublish, fixedNow + 5*minute},
		{"session too far ahead", bridge.KindStream, `{"publish_timestamp":1767323345679` + headers,
			fixedNow + 5*minute + 1, bridge.PhasePublish, 0},
		{"no session", bridge.KindStream, `{"publish_timestamp":"soon"` + headers, 0, bridge.PhasePublish, 0},
		{"end", bridge.KindRecord, record("RECORD_FILE_COMPLETE") +
			`,"end_time":"2020-04-27T02:22:14Z","start_time":"2020-04-27T02:20:00Z"}`, 0, bridge.PhaseNone, session},
		{"start", bridge.KindRecord, record("RECORD_NEW_FILE_START") + `,"end_time":"?","start_time":"2020-04-27T02:22:14Z"}`,
			0, bridge.PhaseNone, session},
		{"session of a recording", bridge.KindRecord, record("RECORD_START") + `,"publish_timestamp":1587954134}`,
			0, bridge.PhaseNone, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, _ := decode(t, test.kind, test.body).Event(callback.Policy{}, callback.Nonce{}, fixedNow)
			if e.Session != test.session || e.Phase != test.phase || e.Occurred != test.occurred {
				t.Errorf("session %d, phase %d, occurred %v; want %d, %d, %v",
					e.Session, e.Phase, e.Occurred, test.session, test.phase, test.occurred)
			}
			if e.Recorded != 0 || e.Sequence != 0 || e.Marks != 0 || e.Scheme != 0 || e.Quarantined() {
				t.Errorf("the event has what is not its callback's to say: %+v", e)
			}
		})
	}
}

// TestAllocations: this is the hot path, where three are enough (the lane's names, what the signature needs, the data).
// The race detector makes the pool forget some of what it is given, so that the limit here only shows a pool that is
// not used at all.
func TestAllocations(t *testing.T) {
	raw := []byte(vendorStream)
	allocations := testing.AllocsPerRun(200, func() {
		c, err := callback.Decode(bridge.KindStream, raw)
		if err != nil {
			t.Fatal(err)
		}
		c.Event(callback.Policy{UserArgs: callback.Redact}, callback.Nonce{}, fixedNow)
		c.Release()
	})
	if allocations > 16 {
		t.Errorf("%v allocations", allocations)
	}
}
