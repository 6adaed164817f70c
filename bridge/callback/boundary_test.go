package callback_test

import (
	"strings"
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/callback"
)

// TestLowerCaseBoundaries: the first and the last letter of the alphabet are lowered, and their neighbours stay.
func TestLowerCaseBoundaries(t *testing.T) {
	for sent, want := range map[string]string{"A.example.com": "a.example.com", "z-Z.example.com": "z-z.example.com",
		"AZ": "az", "@.x": "@.x", "[.x": "[.x", "az": "az", "@A[Z": "@a[z"} {
		c := decode(t, bridge.KindStream, `{"domain":"`+sent+`","app":"A","stream":"Z","event":"PUBLISH"}`)
		e, _ := c.Event(callback.Policy{}, callback.Nonce{}, fixedNow)
		if c.Domain != sent || c.Lane.Domain != want || !strings.Contains(string(e.Data), `"domain":"`+want+`"`) ||
			c.App != "A" || c.Stream != "Z" {
			t.Errorf("%q: sent %q, lane %v, data %s", sent, c.Domain, c.Lane, e.Data)
		}
	}
}

// TestInvalidUTF8: bytes that are not UTF-8 become U+FFFD, the least of them too.
func TestInvalidUTF8(t *testing.T) {
	for _, lone := range []string{"\x80", "\xbf", "\xc2", "\xff"} {
		c := decode(t, bridge.KindStream, `{"domain":"d","app":"a","stream":"r`+lone+`","event":"PUBLISH","node_ip":"`+lone+
			`"}`)
		e, _ := c.Event(callback.Policy{}, callback.Nonce{}, fixedNow)
		if c.Stream != "r\ufffd" || !strings.Contains(string(e.Data), "\"node_ip\":\"\ufffd\"") {
			t.Errorf("%q: stream %q, data %q", lone, c.Stream, e.Data)
		}
	}
}

// TestPolicyInAnUnknownObject: what is private in a member that is an object, without a list around it.
func TestPolicyInAnUnknownObject(t *testing.T) {
	const body = `{"domain":"d","app":"a","stream":"s","event":"PUBLISH","more":{"user_args":"ARGS","client_ip":"IP",` +
		`"x":[{"userArgs":"ARGS"}]}}`
	for want, policy := range map[string]callback.Policy{
		`{"more":{"client_ip":"IP","user_args":"[redacted]","x":[{"userArgs":"[redacted]"}]}}`: {UserArgs: callback.Redact},
		`{"more":{"user_args":"ARGS","x":[{"userArgs":"ARGS"}]}}`:                              {ClientIP: callback.Drop},
	} {
		e, _ := decode(t, bridge.KindStream, body).Event(policy, callback.Nonce{}, fixedNow)
		if !strings.Contains(string(e.Data), `"unrecognized":`+want) {
			t.Errorf("%s is not in %s", want, e.Data)
		}
	}
}

// TestOffsetBoundaries: the greatest hour and minute of an offset are accepted.
func TestOffsetBoundaries(t *testing.T) {
	for offset, want := range map[string]string{"+23:00": "2020-03-07T15:10:25.000Z", "+23:59": "2020-03-07T14:11:25.000Z",
		"-23:59": "2020-03-09T14:09:25.000Z",
		"+00:59": "2020-03-08T13:11:25.000Z"} {
		e, _ := decode(t, bridge.KindRecord, `{"publish_domain":"d","app":"a","stream":"s","event_type":"RECORD_START",`+
			`"start_time":"2020-03-08T14:10:25`+
			offset+`"}`).Event(callback.Policy{}, callback.Nonce{}, fixedNow)
		if e.Occurred.String() != want || !strings.Contains(string(e.Data), `"start_time":"`+want+`"`) {
			t.Errorf("%s: %v, %s", offset, e.Occurred, e.Data)
		}
	}
}
