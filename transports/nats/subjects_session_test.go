package nats

import (
	"slices"
	"testing"
)

// TestSessionSubjects: a stream that others created needs subjects for session events only where they are published.
func TestSessionSubjects(t *testing.T) {
	o := DefaultOptions()
	without := o.eventSubjects()
	o.SessionEvents = true
	with := o.eventSubjects()
	if want := append(slices.Clone(without), "live.events.*.*.*.session"); !slices.Equal(with, want) || len(without) != 4 {
		t.Errorf("%v, without session events %v", with, without)
	}
}
