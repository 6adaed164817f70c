package journal

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"livebridge/bridge"
)

// TestDecisionsAreLogged: at the level debug each callback has a line with its decision, and each event that enters the
// outbox has one; at the level info there is none.
func TestDecisionsAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.DebugLevel)
		o := memory()
		o.Log = zap.New(core)
		j := open(t, o)
		now := bridge.MillisOf(time.Now())
		odd := push("c", now, bridge.PhasePublish)
		odd.Reason = bridge.ReasonExpired
		done := push("b", now, bridge.PhaseDone)
		add(t, j, push("a", now, bridge.PhasePublish), push("a", now, bridge.PhasePublish), done, odd)
		time.Sleep(time.Minute) // the hold ends
		closeJournal(t, j)
		got := make(map[string]bool)
		for _, line := range logs.FilterLevelExact(zap.DebugLevel).All() {
			f := line.ContextMap()
			got[fmt.Sprintf("%s %v %v %v %v", line.Message, f["lane"], f["decision"], f["reason"], f["marks"])] = true
			if id, _ := f["id"].(string); len(id) != 32 || f["type"] == "" {
				t.Errorf("%v", f)
			}
		}
		for _, want := range []string{
			"callback decided a emitted <nil> <nil>", "event emitted a <nil> <nil> ", "callback decided a duplicate <nil> <nil>",
			"callback decided b held <nil> <nil>", "event emitted b <nil> <nil> start_unseen",
			"callback decided c quarantined expired <nil>",
		} {
			want = strings.NewReplacer(" a ", " "+laneText("a")+" ", " b ", " "+laneText("b")+" ", " c ", " "+laneText("c")+" ").
				Replace(want)
			if !got[want] {
				t.Errorf("%q is not in %v", want, got)
			}
		}
	})
}

func laneText(stream string) string { return push(stream, 1, bridge.PhasePublish).Event.Lane.String() }
