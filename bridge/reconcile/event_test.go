package reconcile_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"livebridge/bridge"
	"livebridge/bridge/reconcile"
	"livebridge/schemas/schemastest"
)

// TestEvents: the data of every difference, the lane of its own kind, and the event as a whole against its schema.
func TestEvents(t *testing.T) {
	s := schemastest.Compile(t, "event")
	odd := reconcile.Begun{Stream: reconcile.Stream{Domain: domain, App: "live", Name: "a\"<é"}, At: at(0)}
	unknown := reconcile.Begun{Stream: begun("c", 0).Stream}
	for want, d := range map[string]reconcile.Difference{
		`{"app":"live","begun":"2026-09-21T14:13:20.000Z","domain":"push.example.com","event":"MISSED",` +
			`"since":"2026-09-21T14:13:20.000Z","stream":"a\"<é"}`: missed(odd, 0),
		`{"app":"live","domain":"push.example.com","event":"MISSED",` +
			`"since":"2026-09-21T14:15:20.000Z","stream":"c"}`: missed(unknown, 2),
		`{"app":"live","begun":"2026-09-21T14:13:20.000Z","cause":"offline","domain":"push.example.com",` +
			`"event":"STALE","session":"1790000000000","since":"2026-09-21T14:14:20.000Z",` +
			`"stream":"a\"<é"}`: stale(odd, 1),
	} {
		e := reconcile.Arrival(d).Event
		lane := bridge.Lane{Kind: bridge.KindSession, Domain: d.Domain, App: d.App, Stream: d.Name}
		if string(e.Data) != want || e.Lane != lane || e.Occurred != bridge.MillisOf(d.Since) ||
			(e.Session != 0) != (d.Problem == reconcile.Stale) {
			t.Errorf("%+v: %+v\n%s\n%s", d, e, e.Data, want)
		}
		e.Recorded, e.Sequence = bridge.MillisOf(at(5)), 1
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(e.AppendStructured(nil)))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(doc); err != nil {
			t.Errorf("%s: %v", e.Data, err)
		}
		doc.(map[string]any)["data"].(map[string]any)["stream"] = ""
		if s.Validate(doc) == nil {
			t.Error("the schema does not look at the data")
		}
	}
}

// TestIdentity: a push that was missed, or whose end was, has one id whenever it is found; another push has another
// one.
func TestIdentity(t *testing.T) {
	id := func(d reconcile.Difference) bridge.ID { return reconcile.Arrival(d).Event.ID }
	a, unknown := begun("a", 0), reconcile.Begun{Stream: begun("a", 0).Stream}
	sum := sha256.Sum256([]byte(`{"data":{"app":"live","begun":"2026-09-21T14:13:20.000Z","domain":"push.example.com",` +
		`"event":"MISSED","stream":"a"},"kind":"session"}`))
	if got := id(missed(a, 0)); got != bridge.ID(sum[:16]) {
		t.Errorf("%v", got)
	}
	if id(missed(a, 0)) != id(missed(a, 3)) || id(stale(a, 0)) != id(stale(a, 3)) {
		t.Error("found again it is another event")
	}
	all := map[bridge.ID]string{}
	for i, d := range []reconcile.Difference{missed(a, 0), stale(a, 0), missed(begun("a", 1), 0), missed(begun("b", 0), 0),
		missed(unknown, 0), missed(unknown, 1)} {
		if other, known := all[id(d)]; known {
			t.Errorf("%d has the id of %s", i, other)
		}
		all[id(d)] = fmt.Sprint(i)
	}
}

// TestFullJournal: a difference that the journal did not take is published in a later round, once.
func TestFullJournal(t *testing.T) {
	w := &world{full: bridge.ErrFull}
	w.run(t, func(o *reconcile.Options) { o.Grace = 0 }, func() {
		w.open = []bridge.OpenSession{session("left")}
		w.after(3 * time.Minute)
		if n := w.log.FilterMessageSnippet("session event not published").Len(); n != 3 || len(w.reported) != 0 ||
			w.value(t, "found_total", "stale") != 1 {
			t.Errorf("%d lines, %v", n, w.names())
		}
		w.full = nil
		w.after(2 * time.Minute)
		if len(w.reported) != 1 {
			t.Errorf("%v", w.names())
		}
	})
}
