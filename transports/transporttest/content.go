package transporttest

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"livebridge/bridge"
)

func structuredContent(t *testing.T, h Harness) {
	topic, a := h.Open(t, false), &answers{}
	want := samples()
	for _, e := range want { // one after the other: lanes may share a key
		a.deliver(t, topic.Publisher, []*bridge.Event{e})
	}
	got := byKey(topic.Events(t))
	for _, e := range want {
		r := only(t, got, h.Key(e))
		if payload := e.AppendStructured(nil); !bytes.Equal(r.Payload, payload) {
			t.Errorf("payload %.300q, want %.300q", r.Payload, payload)
		}
		if r.Headers["content-type"] != bridge.ContentTypeStructured {
			t.Errorf("headers %q", r.Headers)
		}
		for name := range r.Headers {
			if strings.HasPrefix(name, h.HeaderPrefix) {
				t.Errorf("an attribute in header %s, in structured mode", name)
			}
		}
	}
}

func binaryContent(t *testing.T, h Harness) {
	topic, a := h.Open(t, true), &answers{}
	want := samples()
	for _, e := range want { // one after the other: lanes may share a key
		a.deliver(t, topic.Publisher, []*bridge.Event{e})
	}
	got := byKey(topic.Events(t))
	for _, e := range want {
		r := only(t, got, h.Key(e))
		if !bytes.Equal(r.Payload, e.Data) {
			t.Errorf("payload %.300q, want %.300q", r.Payload, e.Data)
		}
		if r.Headers["content-type"] != bridge.ContentTypeData {
			t.Errorf("content-type %q", r.Headers["content-type"])
		}
		checkAttributes(t, h, e, r)
	}
}

// checkAttributes checks that the headers carry the event's attributes and no other. datacontenttype may be left to
// content-type.
func checkAttributes(t *testing.T, h Harness, e *bridge.Event, r Record) {
	t.Helper()
	want := make(map[string]string)
	for name, value := range e.Attributes() {
		want[h.HeaderPrefix+name] = h.HeaderValue(string(value))
	}
	have := make(map[string]string)
	for name, value := range r.Headers {
		if strings.HasPrefix(name, h.HeaderPrefix) {
			have[name] = value
		}
	}
	if _, there := have[h.HeaderPrefix+"datacontenttype"]; !there {
		delete(want, h.HeaderPrefix+"datacontenttype")
	}
	if !maps.Equal(have, want) {
		t.Errorf("attributes %q, want %q", have, want)
	}
}

func byKey(records []Record) map[string][]Record {
	out := make(map[string][]Record)
	for _, r := range records {
		out[r.Key] = append(out[r.Key], r)
	}
	return out
}

// only returns the next record of a key: events of several kinds may share one.
func only(t *testing.T, records map[string][]Record, key string) Record {
	t.Helper()
	of := records[key]
	if len(of) == 0 {
		t.Fatalf("nothing under key %q; there are %q", key, slices.Sorted(maps.Keys(records)))
	}
	records[key] = of[1:]
	return of[0]
}

func trickyNames(t *testing.T, h Harness) {
	topic, a := h.Open(t, false), &answers{}
	var want []*bridge.Event
	for _, l := range trickyLanes() {
		want = append(want, event(l, 1))
	}
	a.deliver(t, topic.Publisher, want)
	got := byKey(topic.Events(t))
	for _, e := range want {
		key := h.Key(e)
		if n := len(got[key]); n != 1 {
			t.Errorf("%d records under key %q of lane %q", n, key, e.Lane)
			continue
		}
		if !bytes.Equal(got[key][0].Payload, e.AppendStructured(nil)) {
			t.Errorf("lane %q came out under key %q as %s", e.Lane, key, got[key][0].Payload)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d keys for %d lanes", len(got), len(want))
	}
}

func quarantine(t *testing.T, h Harness) {
	topic, a := h.Open(t, false), &answers{}
	var want []*bridge.Event
	for _, k := range bridge.Kinds() {
		want = append(want, notice(k, 1), notice(k, 2))
	}
	a.deliver(t, topic.Publisher, append(events(1, 1, 1), want...))
	checkLanes(t, topic.Quarantine(t), want)
	checkLanes(t, topic.Events(t), events(1, 1, 1))
	for _, r := range topic.Quarantine(t) {
		if !slices.ContainsFunc(want, func(e *bridge.Event) bool { return h.Key(e) == r.Key }) {
			t.Errorf("a notice under key %q", r.Key)
		}
	}
}

func repeat(t *testing.T, h Harness) {
	topic, a := h.Open(t, false), &answers{}
	want := events(1, 1, 3)
	for range 3 {
		a.deliver(t, topic.Publisher, want)
	}
	got := topic.Events(t)
	checkLanes(t, got, want)
	if h.DropsRepeats && len(got) != len(want) {
		t.Errorf("the topic has %d records of %d events", len(got), len(want))
	}
}

func replay(t *testing.T, h Harness) {
	topic, a := h.Open(t, false), &answers{}
	want := events(1, 1, 2)
	for n := range uint64(2) {
		again := event(want[0].Lane, 3+n)
		again.ID, again.Data, again.Marks = want[0].ID, want[0].Data, bridge.MarkReplayed
		want = append(want, again)
	}
	a.deliver(t, topic.Publisher, want)
	got := topic.Events(t)
	checkLanes(t, got, want)
	if len(got) != len(want) {
		t.Errorf("the topic has %d records of %d emissions", len(got), len(want))
	}
}
