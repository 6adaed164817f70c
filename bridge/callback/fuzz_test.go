package callback_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"livebridge/bridge"
	"livebridge/bridge/callback"
	"livebridge/schemas"
	"livebridge/schemas/schemastest"
)

func FuzzStream(f *testing.F)    { fuzz(f, bridge.KindStream) }
func FuzzRecord(f *testing.F)    { fuzz(f, bridge.KindRecord) }
func FuzzSnapshot(f *testing.F)  { fuzz(f, bridge.KindSnapshot) }
func FuzzRTCRecord(f *testing.F) { fuzz(f, bridge.KindRTCRecord) }

// fuzz holds any body whatsoever to what is promised of all: no panic, canonical JSON that the schema accepts, the same
// bytes every time, and no change to the body. The seeds are the golden inputs and what is worst about JSON.
func fuzz(f *testing.F, kind bridge.Kind) {
	seeds, err := fs.Glob(schemas.Files(), "golden/"+kind.String()+"/*.in.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range seeds {
		body, err := fs.ReadFile(schemas.Files(), name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	for _, body := range []string{
		"", "{", "}", "[]", "null", "{}{}", `{"":{}}`, `{"a":1,}`, `{1:2}`, `{"a"}`, "\xff", `{"a":[}`,
		`{"\ud800":"\udc00\ud800"}`,
		`{"domain":"a","app":"a","stream":"a","event":"PUBLISH","user_args":1,"x":[{"user_args":{"clientIP":1}},` +
			`{"Client-Ip":[{}]},1e400]}`,
		`{"unrecognized":{"unrecognized":1e400}}`, `{"obs_addr":{"obs_addr":{}}}`, `{"event":"PUBLISH"}`,
	} {
		f.Add([]byte(body))
	}
	envelope := schemastest.Compile(f, "event")
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		e, ok := eventOf(t, kind, body)
		if !bytes.Equal(before, body) {
			t.Fatalf("the body has changed to %q", body)
		}
		if !ok {
			return
		}
		again, _ := eventOf(t, kind, body)
		if e.ID != again.ID || !bytes.Equal(e.Data, again.Data) {
			t.Fatalf("two events of one body: %s and %s", e.Data, again.Data)
		}
		out := e.AppendStructured(nil)
		checkCanonical(t, out)
		checkSchema(t, envelope, out)
		checkPrivate(t, kind, body)
		if kind == bridge.KindStream || kind == bridge.KindSnapshot {
			checkTwice(t, kind, e)
		}
	})
}

func eventOf(t *testing.T, kind bridge.Kind, body []byte) (bridge.Event, bool) {
	t.Helper()
	c, err := callback.Decode(kind, body)
	if err != nil {
		return bridge.Event{}, false
	}
	defer c.Release()
	if c.Lane.Domain == "" || c.Lane.Stream == "" || c.Lane.Kind != kind {
		t.Fatalf("lane %v", c.Lane)
	}
	e, identity := c.Event(callback.Policy{}, callback.Nonce{}, fixedNow)
	return complete(e, identity, false), true
}

// checkCanonical sees that text is JSON in UTF-8 that bringing into canonical form, but for numbers, leaves as it is.
func checkCanonical(t *testing.T, text []byte) {
	t.Helper()
	form := jsontext.Value(slices.Clone(text))
	if err := form.Format(jsontext.ReorderRawObjects(true)); err != nil || !utf8.Valid(text) {
		t.Fatalf("%v: %q", err, text)
	}
	if !bytes.Equal(form, text) {
		t.Fatalf("%s\nis not canonical, this is:\n%s", text, form)
	}
}

// checkPrivate sees that with everything redacted no private member shows, at any depth, and the rest is as it was.
func checkPrivate(t *testing.T, kind bridge.Kind, body []byte) {
	t.Helper()
	c, err := callback.Decode(kind, body)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Release()
	e, _ := c.Event(callback.Policy{UserArgs: callback.Redact, ClientIP: callback.Redact}, callback.Nonce{}, fixedNow)
	checkCanonical(t, e.Data)
	var data any
	numbers := json.NewDecoder(bytes.NewReader(e.Data))
	numbers.UseNumber()
	if err := numbers.Decode(&data); err != nil {
		t.Fatalf("%v: %s", err, e.Data)
	}
	if open := openMember(data); open != "" {
		t.Fatalf("%q shows in %s", open, e.Data)
	}
	if all, _ := c.Event(callback.Policy{}, callback.Nonce{}, fixedNow); !bytes.Contains(e.Data, []byte("[redacted]")) &&
		!bytes.Equal(all.Data, e.Data) {
		t.Fatalf("%s\nbecomes\n%s", all.Data, e.Data)
	}
}

// openMember returns the name of a private member that is not redacted, "" if there is none.
func openMember(value any) string {
	switch v := value.(type) {
	case []any:
		for _, inner := range v {
			if open := openMember(inner); open != "" {
				return open
			}
		}
	case map[string]any:
		for name, inner := range v {
			plain := strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(name))
			if (plain == "userargs" || plain == "clientip") && inner != "[redacted]" {
				return name
			}
			if open := openMember(inner); open != "" {
				return open
			}
		}
	}
	return ""
}

// checkTwice sends the data as a callback: all that was known stays what it is.
func checkTwice(t *testing.T, kind bridge.Kind, e bridge.Event) {
	t.Helper()
	body := e.Data
	if kind == bridge.KindSnapshot {
		body = bytes.Replace(body, []byte(`,"stream":`), []byte(`,"stream_name":`), 1)
	}
	rest := bytes.Contains(e.Data, []byte(`"unrecognized":`))
	again, ok := eventOf(t, kind, body)
	if !ok && rest {
		return // unknown members are a level deeper now, which can be one too many
	}
	if !ok || again.Type != e.Type || again.Lane != e.Lane || again.Session != e.Session {
		t.Fatalf("%s\nis read again as\n%s (%v)", e.Data, again.Data, ok)
	}
	if !rest && !bytes.Equal(again.Data, e.Data) {
		t.Fatalf("%s\nbecomes\n%s", e.Data, again.Data)
	}
}
