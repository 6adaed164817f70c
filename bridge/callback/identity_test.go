package callback_test

import (
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/callback"
)

const (
	minute  = bridge.Millis(60_000)
	headers = `,"app":"live","domain":"push.example.com","event":"PUBLISH","stream":"room"}`
)

func decode(t *testing.T, kind bridge.Kind, body string) *callback.Callback {
	t.Helper()
	c, err := callback.Decode(kind, []byte(body))
	if err != nil {
		t.Fatalf("%v\nof %s", err, body)
	}
	t.Cleanup(c.Release)
	return c
}

// idOf returns the id of a body that is committed at the instant recorded, 0: that needs no commit.
func idOf(t *testing.T, kind bridge.Kind, body string, n callback.Nonce, now, recorded bridge.Millis) string {
	t.Helper()
	e, identity := decode(t, kind, body).Event(callback.Policy{}, n, now)
	if (identity != nil) != (recorded != 0) {
		t.Fatalf("the id waits for the commit: %v, want %v\nof %s", identity != nil, recorded != 0, body)
	}
	if identity == nil {
		return e.ID.String()
	}
	if e.ID != (bridge.ID{}) {
		t.Errorf("id %v before the commit, want none", e.ID)
	}
	return identity.ID(kind, recorded).String()
}

// TestIdentity compares with ids computed by another program from the text of the specification.
func TestIdentity(t *testing.T) {
	const (
		future = `{"publish_timestamp":1999999999999`
		signed = `{"auth_timestamp":1587954140`
		rtc    = `{"event_type":"RECORD_NEW_FILE_START","stream_name":"s1","app_id":"a1","room_id":"r1"}`
	)
	nonce := callback.Nonce{Rand: "123456", Timestamp: "1619600000"}
	at := bridge.Millis(1999999999999)
	for _, test := range []struct {
		name          string
		kind          bridge.Kind
		body          string
		nonce         callback.Nonce
		now, recorded bridge.Millis
		want          string
	}{
		{"the specification's vector", bridge.KindStream,
			`{"app":"live","domain":"push.example.com","event":"PUBLISH","publish_timestamp":1587954134,` +
				`"stream":"example_stream"}`,
			nonce, fixedNow, 0, "335fd09a504926145af70766594eba50"},
		{"no session, signed", bridge.KindStream, signed + headers, callback.Nonce{}, fixedNow, 0,
			"9c0936d9464fde16ecb965cfda9bb728"},
		{"no session, signed, expiry as text", bridge.KindStream, `{"auth_timestamp":"1587954140"` + headers,
			callback.Nonce{}, fixedNow, 0, "9c0936d9464fde16ecb965cfda9bb728"},
		{"no session, unsigned", bridge.KindStream, `{` + headers[1:], callback.Nonce{}, 1, fixedNow,
			"53836e8a47c1add9fdcaf87dfd59d76b"},
		{"session four minutes ahead", bridge.KindStream, future + headers, callback.Nonce{}, at - 4*minute, 0,
			"66a999ffc8b674dd75e4d48892cfa947"},
		{"session further ahead, but not at the commit", bridge.KindStream, future + headers, callback.Nonce{},
			at - 4*minute - 1, at - 5*minute, "66a999ffc8b674dd75e4d48892cfa947"},
		{"session too far ahead, unsigned", bridge.KindStream, future + headers, callback.Nonce{}, fixedNow, fixedNow,
			"881c85632cb653f77caacc8e44d4ea61"},
		{"session too far ahead, signed", bridge.KindStream, future + `,` + signed[1:] + headers, callback.Nonce{},
			fixedNow, fixedNow, "5335aeccbb3a3866ab8664d8dffa3ac3"},
		{"session not too far ahead at the commit, signed", bridge.KindStream, future + `,` + signed[1:] + headers,
			callback.Nonce{}, fixedNow, at, "66a999ffc8b674dd75e4d48892cfa947"},
		{"SparkRTC", bridge.KindRTCRecord, rtc, nonce, fixedNow, 0, "d191a5eeef5ff9c044a67c7348df937c"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := idOf(t, test.kind, test.body, test.nonce, test.now, test.recorded); got != test.want {
				t.Errorf("id %s, want %s", got, test.want)
			}
		})
	}
}

// TestIdentityOfRepeats says which two callbacks are one event.
func TestIdentityOfRepeats(t *testing.T) {
	const (
		stream = `"domain":"d","app":"a","stream":"s",`
		record = `"publish_domain":"d","app":"a","stream":"s",`
		rtc    = `"app_id":"d","stream_name":"s",`
		pair   = "signed one second later"
	)
	for _, test := range []struct {
		name string
		kind bridge.Kind
		a, b string
		same bool
	}{
		{"stream " + pair, bridge.KindStream,
			stream + `"event":"PUBLISH","publish_timestamp":"1587954134","auth_timestamp":1`,
			stream + `"event":"PUBLISH","publish_timestamp":"1587954134","auth_timestamp":2`, true},
		{"stream with a number for a string", bridge.KindStream,
			stream + `"event":"PUBLISH","publish_timestamp":"1587954134"`,
			stream + `"event":"PUBLISH","publish_timestamp":1587954134`, true},
		{"stream with another case of the domain", bridge.KindStream,
			stream + `"event":"PUBLISH","publish_timestamp":1587954134`,
			`"domain":"D","app":"a","stream":"s","event":"PUBLISH","publish_timestamp":1587954134`, true},
		{"stream with other user_args, which the policy hides", bridge.KindStream,
			stream + `"event":"PUBLISH","publish_timestamp":1587954134,"user_args":"x"`,
			stream + `"event":"PUBLISH","publish_timestamp":1587954134,"user_args":"y"`, false},
		{"end of the same push", bridge.KindStream,
			stream + `"event":"PUBLISH","publish_timestamp":1587954134`,
			stream + `"event":"PUBLISH_DONE","publish_timestamp":1587954134`, false},
		{"unsequenced stream " + pair, bridge.KindStream,
			stream + `"event":"PUBLISH","auth_timestamp":1`, stream + `"event":"PUBLISH","auth_timestamp":2`, false},
		{"unknown word of a stream " + pair, bridge.KindStream,
			stream + `"event":"PAUSE","publish_timestamp":1587954134,"auth_timestamp":1`,
			stream + `"event":"PAUSE","publish_timestamp":1587954134,"auth_timestamp":2`, false},
		{"file complete " + pair, bridge.KindRecord,
			record + `"event_type":"RECORD_FILE_COMPLETE","width":"1","auth_timestamp":1`,
			record + `"event_type":"RECORD_FILE_COMPLETE","width":1,"auth_timestamp":2`, true},
		{"recording start " + pair, bridge.KindRecord,
			record + `"event_type":"RECORD_START","auth_timestamp":1`,
			record + `"event_type":"RECORD_START","auth_timestamp":2`, false},
		{"SparkRTC with another auth_timestamp, which means nothing there", bridge.KindRTCRecord,
			rtc + `"event_type":"RECORD_NEW_FILE_START","auth_timestamp":1`,
			rtc + `"event_type":"RECORD_NEW_FILE_START","auth_timestamp":2`, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			nonce, policy := callback.Nonce{}, callback.Policy{UserArgs: callback.Redact}
			if test.kind == bridge.KindRTCRecord {
				nonce.Rand = "1"
			}
			a, _ := decode(t, test.kind, "{"+test.a+"}").Event(policy, nonce, fixedNow)
			b, _ := decode(t, test.kind, "{"+test.b+"}").Event(policy, nonce, fixedNow)
			if (a.ID == b.ID) != test.same {
				t.Errorf("the same id: %v, want %v", a.ID == b.ID, test.same)
			}
		})
	}
}

func TestIdentityOfNonces(t *testing.T) {
	for eventName, names := range map[string]bool{
		"RECORD_FILE_COMPLETE": true, "RECORD_NEW_FILE_START": false, "CLOUD_RECORD_SERVER_OVER": false,
	} {
		body := `{"event_type":"` + eventName + `","app_id":"d","stream_name":"s"}`
		a := idOf(t, bridge.KindRTCRecord, body, callback.Nonce{Rand: "1", Timestamp: "2"}, fixedNow, 0)
		b := idOf(t, bridge.KindRTCRecord, body, callback.Nonce{Rand: "1", Timestamp: "3"}, fixedNow, 0)
		c := idOf(t, bridge.KindRTCRecord, body, callback.Nonce{Rand: "12", Timestamp: ""}, fixedNow, 0)
		if (a == b) != names || (a == c) != names {
			t.Errorf("%s names itself: %v, want %v", eventName, a == b, names)
		}
	}
}

func TestMalformed(t *testing.T) {
	nonce := callback.Nonce{Rand: "123456", Timestamp: "1619600000"}
	e := callback.Malformed([]byte("{"), nonce)
	if got, want := e.ID.String(), "fff870dab01b2744d17f88fb5b82d05b"; got != want {
		t.Errorf("id %s, want %s", got, want)
	}
	if !e.Lane.IsZero() || e.Lane.Kind != bridge.KindRTCRecord || e.Data != nil ||
		e.Reason != bridge.ReasonMalformed || e.Type != bridge.TypeQuarantined {
		t.Errorf("event %+v", e)
	}
	for name, other := range map[string]bridge.Event{
		"body":      callback.Malformed([]byte("}"), nonce),
		"rand":      callback.Malformed([]byte("{"), callback.Nonce{Rand: "1", Timestamp: "1619600000"}),
		"timestamp": callback.Malformed([]byte("{"), callback.Nonce{Rand: "123456", Timestamp: "1"}),
	} {
		if other.ID == e.ID {
			t.Errorf("another %s gives the same id", name)
		}
	}
}
