package journal

import (
	"slices"
	"testing"
	"time"

	"livebridge/bridge"
)

func TestPublishAndDone(t *testing.T) {
	o := memory()
	j := open(t, o)
	now := bridge.MillisOf(time.Now())
	add(t, j, push("a", now, bridge.PhaseDone), push("a", now, bridge.PhasePublish), push("a", now, bridge.PhasePublish))
	got := drain(t, j, 2)
	if want := []string{"a 1 publish ", "a 2 publish_done "}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := j.outbox.Trim(t.Context(), durable); err != nil {
		t.Error(err)
	}
	closeJournal(t, j)
	j = open(t, o)
	defer closeJournal(t, j)
	add(t, j, push("a", now+1, bridge.PhasePublish))
	if got := drain(t, j, 1); got[0] != "a 3 publish " {
		t.Errorf("after a restart: %q", got)
	}
}
