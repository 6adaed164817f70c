package callback_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"livebridge/bridge"
	"livebridge/bridge/callback"
	"livebridge/schemas"
	"livebridge/schemas/schemastest"
)

var update = flag.Bool("update", false, "write the golden outputs again")

const goldenFolder = "../../schemas/golden"

// TestGolden holds every golden pair to the code and the schemas, and sees that every kind has some.
func TestGolden(t *testing.T) {
	envelope := schemastest.Compile(t, "event")
	for _, kind := range bridge.Kinds() {
		data := schemastest.Compile(t, kind.String())
		inputs, err := fs.Glob(schemas.Files(), "golden/"+kind.String()+"/*.in.json")
		if err != nil || len(inputs) == 0 {
			t.Fatalf("no golden pair of kind %v (%v)", kind, err)
		}
		for _, input := range inputs {
			name := strings.TrimSuffix(strings.TrimPrefix(input, "golden/"), ".in.json")
			t.Run(name, func(t *testing.T) {
				e, err := goldenEvent(t, kind, name)
				if err != nil {
					checkGolden(t, name+".error.txt", name+".out.json", []byte(err.Error()+"\n"))
					return
				}
				out := e.AppendStructured(nil)
				checkGolden(t, name+".out.json", name+".error.txt", append(out, '\n'))
				checkSchema(t, data, e.Data)
				checkSchema(t, envelope, out)
				checkCloudEvent(t, &e, out)
				checkSecrets(t, out)
			})
		}
	}
}

// goldenEvent makes the event of a golden input as the journal would publish it, first of its lane.
func goldenEvent(t *testing.T, kind bridge.Kind, name string) (bridge.Event, error) {
	t.Helper()
	body := golden(t, name+".in.json")
	c, err := callback.Decode(kind, body)
	if err != nil {
		var fault *callback.Error
		if !errors.As(err, &fault) {
			t.Fatalf("error is a %T, want a *callback.Error", err)
		}
		return bridge.Event{}, err
	}
	nonce := goldenNonce(t, name)
	e, identity := c.Event(callback.Policy{UserArgs: callback.Redact}, nonce, fixedNow)
	signed := c.AuthSign != "" || nonce != callback.Nonce{}
	c.Release()
	clear(body) // nothing of the event may point into it
	return complete(e, identity, signed), nil
}

func complete(e bridge.Event, identity *bridge.Identity, signed bool) bridge.Event {
	e.Recorded, e.Sequence = fixedNow, 1
	if identity != nil {
		e.ID = identity.ID(e.Lane.Kind, fixedNow)
	}
	if e.Unknown() || e.Lane.Kind == bridge.KindStream && !bridge.Sequenced(e.Session, fixedNow) {
		e.Marks = bridge.MarkUnsequenced
	}
	switch {
	case signed && e.Lane.Kind == bridge.KindRTCRecord:
		e.Scheme = bridge.SchemeRTC
	case signed:
		e.Scheme = bridge.SchemeHMAC
	}
	return e
}

// golden returns a copy of a golden file.
func golden(t *testing.T, name string) []byte {
	t.Helper()
	b, err := fs.ReadFile(schemas.Files(), path.Join("golden", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func goldenNonce(t *testing.T, name string) callback.Nonce {
	t.Helper()
	b, err := fs.ReadFile(schemas.Files(), path.Join("golden", name+".headers.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return callback.Nonce{}
	}
	var headers map[string]string
	if err := errors.Join(err, json.Unmarshal(b, &headers)); err != nil {
		t.Fatal(err)
	}
	return callback.Nonce{Rand: headers["X-Rtc-Rand"], Timestamp: headers["X-Rtc-Timestamp"]}
}

// checkGolden compares an output with its file, and sees that the file of the other outcome is not there.
func checkGolden(t *testing.T, name, other string, got []byte) {
	t.Helper()
	if *update {
		_ = os.Remove(filepath.Join(goldenFolder, other))
		if err := os.WriteFile(filepath.Join(goldenFolder, name), got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := fs.ReadFile(schemas.Files(), path.Join("golden", name))
	if err != nil {
		t.Fatalf("%v; got %s\ngo test ./bridge/callback -update writes it", err, got)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s:\ngot  %swant %s", name, got, want)
	}
	if _, err := fs.Stat(schemas.Files(), path.Join("golden", other)); err == nil {
		t.Errorf("%s is there beside %s", other, name)
	}
}

func checkSchema(t *testing.T, schema *jsonschema.Schema, text []byte) {
	t.Helper()
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(instance); err != nil {
		t.Errorf("%v\nof %s", err, text)
	}
}

func checkCloudEvent(t *testing.T, e *bridge.Event, text []byte) {
	t.Helper()
	var parsed cloudevents.Event
	if err := json.Unmarshal(text, &parsed); err != nil {
		t.Fatal(err)
	}
	if err := parsed.Validate(); err != nil {
		t.Error(err)
	}
	if parsed.ID() != string(e.AppendID(nil)) || parsed.Type() != e.Type || !bytes.Equal(parsed.Data(), e.Data) {
		t.Errorf("the CloudEvents SDK reads %v of %s", parsed, text)
	}
}

// checkSecrets sees that nothing of a signature or of a push's credentials comes out.
func checkSecrets(t *testing.T, text []byte) {
	t.Helper()
	for _, secret := range []string{`"auth_sign"`, `"auth_timestamp"`, "auth_info"} {
		if bytes.Contains(text, []byte(secret)) {
			t.Errorf("%s comes out: %s", secret, text)
		}
	}
}

// TestQuarantineSchema holds the schemas to what the journal publishes of a quarantined callback.
func TestQuarantineSchema(t *testing.T) {
	data, envelope := schemastest.Compile(t, "quarantine"), schemastest.Compile(t, "event")
	body, err := goldenEvent(t, bridge.KindStream, "stream/publish")
	if err != nil {
		t.Fatal(err)
	}
	full := bridge.Event{
		ID: body.ID, Type: bridge.TypeQuarantined, Lane: bridge.Lane{Kind: bridge.KindStream}, Recorded: fixedNow,
		Sequence: 1, Scheme: bridge.SchemeHMAC, Reason: bridge.ReasonTampered, Subject: body.Lane.Subject(),
		Data: []byte(`{"body":` + string(body.Data) + `,"kind":"stream","lane":"push.example.com/live/example_stream",` +
			`"reason":"tampered","received":"2026-01-02T03:04:05.678Z"}`),
	}
	bare := callback.Malformed([]byte("not JSON"), callback.Nonce{Rand: "1", Timestamp: "2"})
	bare.Recorded, bare.Sequence, bare.Scheme = fixedNow, 1, bridge.SchemeRTC
	bare.Data = []byte(`{"kind":"rtc-record","reason":"malformed","received":"2026-01-02T03:04:05.678Z"}`)
	shared := full // of one of the partitions that many replicas share
	shared.Lane.Stream = "11"
	for _, e := range []bridge.Event{full, bare, shared} {
		out := e.AppendStructured(nil)
		checkSchema(t, data, e.Data)
		checkSchema(t, envelope, out)
		checkCloudEvent(t, &e, out)
	}
}

// TestSchemasAreStrict sees that the schemas refuse what must not come out.
func TestSchemasAreStrict(t *testing.T) {
	good := string(golden(t, "stream/publish.out.json"))
	for name, change := range map[string][2]string{
		"attribute that is not known":  {`"type":`, `"extra":"1","type":`},
		"member that is not known":     {`{"app":`, `{"auth_sign":"ff","app":`},
		"text for an integer":          {`1587954134,`, `"1587954134",`},
		"no session":                   {`"session":"1587954134000",`, ``},
		"session of unsequenced":       {`"partitionkey"`, `"marks":"unsequenced","partitionkey"`},
		"mark that is not known":       {`"partitionkey"`, `"marks":"odd","partitionkey"`},
		"word of another type":         {`"event":"PUBLISH"`, `"event":"PUBLISH_DONE"`},
		"schema of another kind":       {`schema:stream:1`, `schema:record:1`},
		"domain in upper case":         {`"domain":"push`, `"domain":"PUSH`},
		"time without milliseconds":    {`.678Z`, `Z`},
		"sequence that is not padded":  {`"sequence":"0`, `"sequence":"`},
		"id of a quarantined callback": {`","partitionkey`, `-expired","partitionkey`},
		"signature in unrecognized":    {`,"user_args"`, `,"unrecognized":{"auth_sign":"ff"},"user_args"`},
		"scheme that is not known":     {`"hmac-sha256"`, `"rot13"`},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		instance, err := jsonschema.UnmarshalJSON(strings.NewReader(bad))
		if err != nil || bad == good {
			t.Fatalf("%s: nothing changed (%v)", name, err)
		}
		if schemastest.Compile(t, "event").Validate(instance) == nil {
			t.Errorf("%s: the schema takes it", name)
		}
	}
}
