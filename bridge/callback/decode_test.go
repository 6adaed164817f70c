package callback_test

import (
	"errors"
	"strings"
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/callback"
)

// TestDecodeAsSent holds what the signature check gets to the letters of the body.
func TestDecodeAsSent(t *testing.T) {
	c := decode(t, bridge.KindRecord, `{"publish_domain":"Push.Example.COM","app":"l\u0069ve","stream":"r`+"\xff"+`",`+
		`"event_type":"RECORD_OVER","download_url":"https:\/\/a/?b&c","play_url":"p\u00e9","auth_timestamp":1583676745,`+
		`"auth_sign":"AB\u0063d"}`)
	for _, test := range []struct{ name, got, want string }{
		{"Word", c.EventName, "RECORD_OVER"},
		{"Domain", c.Domain, "Push.Example.COM"},
		{"App", c.App, "live"},
		{"Stream", c.Stream, "r\uFFFD"},
		{"DownloadURL", c.DownloadURL, "https://a/?b&c"},
		{"PlayURL", c.PlayURL, "pé"},
		{"AuthTimestamp", c.AuthTimestamp, "1583676745"},
		{"AuthSign", c.AuthSign, "ABcd"},
		{"Lane", c.Lane.String(), "record:push.example.com/live/r%EF%BF%BD"},
	} {
		if test.got != test.want {
			t.Errorf("%s is %q, want %q", test.name, test.got, test.want)
		}
	}
	if !c.Known || c.Kind != bridge.KindRecord {
		t.Errorf("known %v, kind %v", c.Known, c.Kind)
	}
}

// TestDecodeAuth: an unusable signature must not look absent, or the callback would pass as unsigned.
func TestDecodeAuth(t *testing.T) {
	for sent, want := range map[string]string{
		`1587954140`: "1587954140", `"1587954140"`: "1587954140", `"1587954140 "`: "1587954140 ",
		`1.58795414e9`: "1.58795414e9", `-0`: "-0", `01`: "", `true`: "true", `{"a":1}`: `{"a":1}`, `[ ]`: "[ ]",
		`null`: "", `""`: "",
	} {
		body := `{"auth_timestamp":` + sent + `,"auth_sign":` + sent + headers
		c, err := callback.Decode(bridge.KindStream, []byte(body))
		if sent == "01" {
			if err == nil {
				t.Errorf("%s is taken for a number", sent)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if c.AuthTimestamp != want || c.AuthSign != want {
			t.Errorf("%s: auth_timestamp %q, auth_sign %q, want %q", sent, c.AuthTimestamp, c.AuthSign, want)
		}
		e, _ := c.Event(callback.Policy{}, callback.Nonce{}, fixedNow)
		if strings.Contains(string(e.Data), "auth_") {
			t.Errorf("%s comes out: %s", sent, e.Data)
		}
		c.Release()
	}
}

func TestDecodeRefuses(t *testing.T) {
	bodies := map[bridge.Kind]string{
		bridge.KindStream:    `{"domain":"v","app":"v","stream":"v","event":"v"}`,
		bridge.KindRecord:    `{"publish_domain":"v","app":"v","stream":"v","event_type":"v"}`,
		bridge.KindSnapshot:  `{"domain":"v","app":"v","stream_name":"v","snapshot_url":"v"}`,
		bridge.KindRTCRecord: `{"app_id":"v","stream_name":"v","event_type":"v"}`,
	}
	for kind, body := range bodies {
		decode(t, kind, body)
		for _, field := range strings.FieldsFunc(body, func(r rune) bool { return strings.ContainsRune(`{}":,`, r) }) {
			if field == "v" {
				continue
			}
			for _, value := range []string{`null`, `""`, `1`, `true`, `{}`, `["v"]`} {
				refuse(t, kind, strings.Replace(body, `"`+field+`":"v"`, `"`+field+`":`+value, 1), field)
			}
			refuse(t, kind, strings.Replace(body, `"`+field+`"`, `"`+strings.ToUpper(field)+`"`, 1), field)
		}
	}
}

func TestDecodeRefusesNames(t *testing.T) {
	for _, field := range []struct {
		name  string
		kind  bridge.Kind
		limit int
		body  string
	}{
		{"domain", bridge.KindStream, 253, `{"app":"v","stream":"v","event":"v","domain":"`},
		{"app", bridge.KindStream, 255, `{"domain":"v","stream":"v","event":"v","app":"`},
		{"stream", bridge.KindStream, 512, `{"domain":"v","app":"v","event":"v","stream":"`},
		{"publish_domain", bridge.KindRecord, 253, `{"app":"v","stream":"v","event_type":"v","publish_domain":"`},
		{"stream_name", bridge.KindSnapshot, 512, `{"app":"v","domain":"v","snapshot_url":"v","stream_name":"`},
		{"app_id", bridge.KindRTCRecord, 255, `{"event_type":"v","stream_name":"v","app_id":"`},
		{"room_id", bridge.KindRTCRecord, 512, `{"event_type":"v","stream_name":"v","app_id":"v","room_id":"`},
	} {
		decode(t, field.kind, field.body+strings.Repeat("x", field.limit)+`"}`)
		decode(t, field.kind, field.body+`é \u00e9 \ud83d\ude00 \ufffd"}`)
		refuse(t, field.kind, field.body+strings.Repeat("x", field.limit+1)+`"}`, field.name)
		refuse(t, field.kind, field.body+strings.Repeat("\xff", field.limit/3+1)+`"}`, field.name)
		for _, control := range []string{`\u0000`, `\n`, `\u001f`, "\x7f", `\u0080`, "\u009f"} {
			refuse(t, field.kind, field.body+"x"+control+`"}`, field.name)
		}
	}
}

// TestDecodeDepth: the object itself is the first level, and eight are accepted.
func TestDecodeDepth(t *testing.T) {
	for _, braces := range []struct{ open, inner, end string }{{"[", "", "]"}, {`{"a":`, "1", "}"}} {
		nest := func(levels int) string {
			return `{"deep":` + strings.Repeat(braces.open, levels-1) + braces.inner + strings.Repeat(braces.end, levels-1) +
				headers
		}
		decode(t, bridge.KindStream, nest(8))
		refuse(t, bridge.KindStream, nest(9), "deep")
		refuse(t, bridge.KindStream, nest(20000), "deep")
	}
	refuse(t, bridge.KindSnapshot, `{"obs_addr":{"object":`+strings.Repeat("[", 7)+strings.Repeat("]", 7)+`}}`, "object")
}

// TestErrorHoldsNoValue: an error may be shown to anybody.
func TestErrorHoldsNoValue(t *testing.T) {
	long := strings.Repeat("n", 5000)
	for _, body := range []string{
		`{"auth_sign":"SECRET","auth_sign":"SECRET"}`, `{"stream":"SECRET\u0000"}`, `{"app":"SECRET"`, `"SECRET"`,
		`{"auth_sign":"SECRET"}SECRET`, `{"` + long + `":1,"` + long + `":2}`, `{"domain":{"SECRET":1}}`,
	} {
		_, err := callback.Decode(bridge.KindStream, []byte(body))
		if err == nil || strings.Contains(err.Error(), "SECRET") || len(err.Error()) > 200 {
			t.Errorf("%.60s: %v", body, err)
		}
	}
}

func TestDecodeUnknownKind(t *testing.T) {
	refuse(t, 0, `{}`, "")
	refuse(t, 99, `{}`, "")
}

// TestRelease: a Callback shows nothing of the body that its buffers held before.
func TestRelease(t *testing.T) {
	full, err := callback.Decode(bridge.KindRecord, []byte(vendorRecord))
	if err != nil {
		t.Fatal(err)
	}
	kept, _ := full.Event(callback.Policy{}, callback.Nonce{}, fixedNow)
	want, lane := string(kept.Data), kept.Lane.String()
	full.Release()
	for range 4 {
		c, err := callback.Decode(bridge.KindSnapshot,
			[]byte(`{"domain":"d","app":"a","stream_name":"s","snapshot_url":"u"}`))
		if err != nil {
			t.Fatal(err)
		}
		e, _ := c.Event(callback.Policy{}, callback.Nonce{}, fixedNow)
		if got := string(e.Data); got != `{"app":"a","domain":"d","snapshot_url":"u","stream":"s"}` {
			t.Errorf("data %s", got)
		}
		if c.DownloadURL+c.AuthSign+c.AuthTimestamp+c.EventName != "" || e.Occurred != 0 || e.Session != 0 {
			t.Errorf("left from another body: %+v", c)
		}
		c.Release()
	}
	if string(kept.Data) != want || kept.Lane.String() != lane {
		t.Errorf("an event has changed after Release: %s", kept.Data)
	}
}

// TestBufferLimits: bodies that are large in every way are read like others.
func TestBufferLimits(t *testing.T) {
	many := strings.Repeat(`"k#":[1,"\n"],`, 1000)
	for i := range 1000 {
		many = strings.Replace(many, "#", strings.Repeat("x", i%7)+string(rune('A'+i/7%26))+string(rune('A'+i/182)), 1)
	}
	for range 3 {
		c := decode(t, bridge.KindStream, `{`+many+`"user_args":"`+strings.Repeat(`\n`, 300<<10)+`"`+headers)
		if e, _ := c.Event(callback.Policy{}, callback.Nonce{}, fixedNow); len(e.Data) < 600<<10 {
			t.Errorf("%d bytes of data", len(e.Data))
		}
	}
	decode(t, bridge.KindStream, vendorStream)
}

func refuse(t *testing.T, kind bridge.Kind, body, field string) {
	t.Helper()
	c, err := callback.Decode(kind, []byte(body))
	var fault *callback.Error
	switch {
	case err == nil:
		c.Release()
		t.Errorf("%.120s is taken", body)
	case !errors.As(err, &fault) || fault.Field != field:
		t.Errorf("%.120s: %v, want an error about %q", body, err, field)
	}
}
