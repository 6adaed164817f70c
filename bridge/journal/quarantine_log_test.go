package journal

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"livebridge/bridge"
	"livebridge/bridge/tally"
)

// TestQuarantineIsLoud: what was quarantined is warned of with all that finds it again, at a limited rate for each
// reason, so that a flood of one does not hide another.
func TestQuarantineIsLoud(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zapcore.WarnLevel)
		o := unpublished()
		o.Log = zap.New(core)
		j := open(t, o)
		defer closeJournal(t, j)
		for i := range 50 {
			a := suspect(fmt.Sprint("room", i), i+1, bridge.ReasonExpired)
			a.EventName, a.Signature.Key = "PUBLISH", "ab12cd34"
			add(t, j, a)
		}
		long := strings.Repeat("x", 1000)
		a := suspect("room", 1000, bridge.ReasonUnknownEvent)
		a.EventName = long
		add(t, j, a)
		synctest.Wait()
		lines := logs.TakeAll()
		if len(lines) != tally.QuarantineLinesAtOnce+1 {
			t.Fatalf("%d lines", len(lines))
		}
		want := map[string]any{"number": uint64(1), "kind": "stream", "reason": "expired", "domain": "push.example.com",
			"app": "live", "stream": "room0", "event": "PUBLISH", "key": "ab12cd34"}
		if got := lines[0].ContextMap(); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("logged %v, want %v", got, want)
		}
		if last := fmt.Sprint(lines[len(lines)-1].ContextMap()); !strings.Contains(last, "unknown_event") ||
			strings.Contains(last, long) {
			t.Errorf("the other reason: %s", last)
		}
		time.Sleep(time.Second)
		add(t, j, suspect("later", 2000, bridge.ReasonExpired))
		synctest.Wait()
		if lines := logs.TakeAll(); len(lines) != 1 || lines[0].ContextMap()["suppressed"] != int64(40) {
			t.Errorf("after the flood: %v", lines)
		}
	})
}

// TestLabelsAreThereFromTheStart: every reason and every mark has its counter before it counts something.
func TestLabelsAreThereFromTheStart(t *testing.T) {
	o := memory()
	registry := prometheus.NewRegistry()
	o.Registerer = registry
	j, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	defer closeJournal(t, j)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	series := make(map[string]int)
	for _, f := range families {
		series[f.GetName()] = len(f.GetMetric())
	}
	if series["livebridge_callbacks_quarantined_total"] != 4 || series["livebridge_events_marked_total"] != 7 {
		t.Errorf("%v", series)
	}
}
