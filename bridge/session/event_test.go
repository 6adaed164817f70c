package session_test

import (
	"bytes"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"livebridge/bridge"
	"livebridge/bridge/session"
	"livebridge/schemas/schemastest"
)

const begun = bridge.Millis(1_790_000_000_000)

func push(stream string) session.Push {
	return session.Push{Domain: "push.example.com", App: "live", Stream: stream, Begun: begun}
}

// TestEvents: the data of every event, byte by byte, and the event as a whole against its schema.
func TestEvents(t *testing.T) {
	schema := schemastest.Compile(t, "event")
	missed := push("a")
	missed.Begun = 0
	marks := bridge.MarkLate | bridge.MarkForced
	for want, e := range map[string]bridge.Event{
		`{"app":"live","begun":"2026-09-21T14:13:20.000Z","domain":"push.example.com","event":"MISSED",` +
			`"since":"2026-09-21T14:13:25.000Z","stream":"a"}`: session.Missed(push("a"), begun+5000),
		`{"app":"live","domain":"push.example.com","event":"MISSED","since":"2026-09-21T14:13:25.000Z","stream":"a"}`:
		/* not known when */ session.Missed(missed, begun+5000),
		`{"app":"live","begun":"2026-09-21T14:13:20.000Z","cause":"timeout","domain":"push.example.com","event":"STALE",` +
			`"session":"1790000000000","since":"2026-09-21T14:13:21.000Z","stream":"a\"<é"}`:
		/* odd name */ session.Stale(push("a\"<é"), session.CauseTimeout, begun+1000),
		`{"app":"live","begun":"2026-09-21T14:13:20.000Z","domain":"push.example.com","duration_ms":2500,` +
			`"ended":"2026-09-21T14:13:23.500Z","event":"ENDED","session":"1790000000000","since_begun_ms":3500,` +
			`"start_marks":"prev_unended","started":"2026-09-21T14:13:21.000Z","stream":"a"}`:
		/* both ends */ session.Ended(push("a"), session.Ends{Started: begun + 1000, Ended: begun + 3500,
			StartMarks: bridge.MarkPrevUnended}),
		`{"app":"live","begun":"2026-09-21T14:13:20.000Z","domain":"push.example.com","end_marks":"forced,late",` +
			`"ended":"2026-09-21T14:13:19.000Z","event":"ENDED","session":"1790000000000","stream":"a"}`:
		/* an end alone, by a clock that is behind */ session.Ended(push("a"), session.Ends{Ended: begun - 1000,
			EndMarks: marks}),
	} {
		if string(e.Data) != want {
			t.Errorf("%s\nwant %s", e.Data, want)
		}
		e.Recorded, e.Sequence = begun+9000, 1
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(e.AppendStructured(nil)))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(doc); err != nil {
			t.Errorf("%s: %v", e.Data, err)
		}
		doc.(map[string]any)["data"].(map[string]any)["event"] = "BEGUN"
		if schema.Validate(doc) == nil {
			t.Error("the schema does not look at the event")
		}
	}
}

// TestIdentities: an id depends on the push and on what became of it, and not on when and how that was found.
func TestIdentities(t *testing.T) {
	later := push("a")
	later.Begun++
	same := [][]bridge.Event{
		{session.Missed(push("a"), begun), session.Missed(push("a"), begun+1)},
		{session.Stale(push("a"), session.CauseOffline, begun), session.Stale(push("a"), session.CauseTimeout, begun+1)},
		{session.Ended(push("a"), session.Ends{Ended: begun}),
			session.Ended(push("a"), session.Ends{Ended: begun + 1, Started: begun})},
		{session.Ended(push("b"), session.Ends{Ended: begun})},
		{session.Ended(later, session.Ends{Ended: begun})},
	}
	seen := make(map[bridge.ID]int)
	for i, events := range same {
		for _, e := range events {
			if first, known := seen[e.ID]; known && first != i || e.ID != events[0].ID {
				t.Errorf("%s has the id of %d", e.Data, first)
			}
			seen[e.ID] = i
		}
	}
}

// TestCompleteEnds: the end of a push that was received before its start has no duration.
func TestCompleteEnds(t *testing.T) {
	e := session.Ended(push("a"), session.Ends{Started: begun + 2, Ended: begun + 1})
	if bytes.Contains(e.Data, []byte("duration_ms")) || !bytes.Contains(e.Data, []byte("started")) {
		t.Errorf("%s", e.Data)
	}
	if e.Session != begun || e.Lane.Kind != bridge.KindSession || e.Occurred != begun+1 {
		t.Errorf("%+v", e)
	}
}
