package record

import (
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"livebridge/bridge"
)

// TestEventRoundTrip: every member of an event is read as it was written, and nothing less than the whole record is
// taken.
func TestEventRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String()
		e := bridge.Event{
			ID: bridge.ID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id")), Type: text.Draw(t, "type"),
			Lane: bridge.Lane{
				Kind:   bridge.Kind(rapid.IntRange(1, 4).Draw(t, "kind")),
				Domain: text.Draw(t, "domain"),
				App:    text.Draw(t, "app"),
				Stream: text.Draw(t, "stream"),
			},
			Session: bridge.Millis(rapid.Int64().Draw(t, "session")), Phase: bridge.Phase(rapid.Byte().Draw(t, "phase")),
			Occurred: bridge.Millis(
				rapid.Int64().Draw(t, "occurred"),
			), Recorded: bridge.Millis(rapid.Int64().Draw(t, "recorded")),
			Sequence: rapid.Uint64().Draw(t, "sequence"), Marks: bridge.Marks(rapid.Byte().Draw(t, "marks")),
			Scheme: bridge.Scheme(rapid.Byte().Draw(t, "scheme")), Data: []byte(text.Draw(t, "data")),
			Reason: bridge.Reason(text.Draw(t, "reason")), Subject: text.Draw(t, "subject"),
		}
		value := AppendEvent(nil, &e)
		got, err := ReadEvent(value)
		if err != nil || fmt.Sprint(*got) != fmt.Sprint(e) {
			t.Fatalf("%+v became %+v, %v", e, got, err)
		}
		for n := range value {
			if _, err := ReadEvent(value[:n]); err == nil {
				t.Fatalf("the first %d of %d bytes were taken", n, len(value))
			}
		}
	})
}

// FuzzReadEvent: what can be read of a value is written again as it was understood, and nothing makes a reader panic.
func FuzzReadEvent(f *testing.F) {
	f.Add(AppendEvent(nil, &bridge.Event{Type: "a", Data: []byte("{}")}))
	f.Fuzz(func(t *testing.T, value []byte) {
		e, err := ReadEvent(value)
		if err != nil {
			return
		}
		if again, err := ReadEvent(AppendEvent(nil, e)); err != nil || fmt.Sprint(again) != fmt.Sprint(e) {
			t.Errorf("%v became %v, %v", e, again, err)
		}
	})
}

// TestReader: members come back in their order, as they were written, and the first one that is cut short ends it.
func TestReader(t *testing.T) {
	value := AppendBool(AppendText(AppendText(nil, "ab"), []byte{1, 2}), true)
	value = append(AppendBool(append(value, 0x85, 0x01), false), 0x05)
	take := func(value []byte) (out []any, r Reader) {
		r = NewReader(value, nil)
		out = append(out, r.Text(), r.Clone(), r.Bool(), r.Uvarint(), r.Bool(), r.Varint())
		return out, r
	}
	want := []any{"ab", []byte{1, 2}, true, uint64(133), false, int64(-3)}
	if got, r := take(value); !reflect.DeepEqual(got, want) || r.Err() != nil || r.More() || len(r.Rest()) != 0 {
		t.Errorf("%v, %v; %d bytes are left", got, r.Err(), len(r.Rest()))
	}
	for n := range value {
		if _, r := take(value[:n]); r.Err() == nil || r.More() {
			t.Errorf("the first %d of %d bytes were taken", n, len(value))
		}
	}
	if r := NewReader([]byte{0xff}, nil); r.Take(-1) == nil || r.Err() == nil {
		t.Error("less than nothing was taken")
	}
}

// TestTextsAreShared: of a text that many records have there is one in memory.
func TestTextsAreShared(t *testing.T) {
	value := AppendEvent(nil, &bridge.Event{Type: "type", Lane: bridge.Lane{Domain: "push.example.com"}})
	shared := make(Texts)
	for range 2 {
		r := NewReader(value, shared)
		if _, err := r.Event(); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(shared); n != 3 { // the empty one too
		t.Errorf("%d texts: %v", n, shared)
	}
}
