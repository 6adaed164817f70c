package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"livebridge/bridge/checker"
)

// filteredMetric is the counter of one type.
func filteredMetric(eventType string) string {
	return `livebridge_events_filtered_total{type="com.huaweicloud.` + eventType + `"}`
}

// TestPublishTypes: only events of PUBLISH_TYPES are published, without a gap in the sequence and counted otherwise;
// what waits in quarantine stays there. With other types after a restart, and none, lanes go on.
func TestPublishTypes(t *testing.T) {
	t.Parallel()
	dir, now := t.TempDir(), time.Now()
	service := launch(t, dir, prefix+"PUBLISH_TYPES=*.publish_done, *.snapshot.*")
	push := func(n int) { // each under a signature of its own
		for _, event := range []string{"PUBLISH", "PUBLISH_DONE"} {
			expires := now.Add(time.Duration(n) * time.Second)
			service.send(t, "/live/stream", streamCallback(event, "room", 1_587_954_134+int64(n), expires, ""), 200)
		}
	}
	push(1)
	push(2)
	service.send(t, "/live/stream", streamCallback("PUBLISH", "kept", 1_587_954_134, now.Add(-time.Hour), ""), 401)
	m := service.metrics(t)
	if m[filteredMetric("live.stream.publish")] != 2 || m[filteredMetric("live.stream.publish_done")] != 0 {
		t.Errorf("filtered are %v PUBLISH and %v PUBLISH_DONE", m[filteredMetric("live.stream.publish")],
			m[filteredMetric("live.stream.publish_done")])
	}
	out, errOut, code := command(t, dir, "quarantine", "release", "1")
	if code != exitFailed || !strings.Contains(out+errOut, "PUBLISH_TYPES") || len(entriesOf(t, dir, "quarantine")) != 1 {
		t.Errorf("%d %s%s", code, out, errOut)
	}
	service.terminate(t)
	service = launch(t, dir)
	push(3)
	if _, errOut, code := command(t, dir, "quarantine", "release", "1"); code != exitDone {
		t.Errorf("%d %s", code, errOut)
	}
	var got []string
	await(t, service.nats, func(e checker.Event) bool {
		got = append(got, fmt.Sprintf("%s %s %d %s", e.Subject, e.Event, ordinal(e.Sequence), e.Marks))
		return strings.HasSuffix(e.Subject, "/kept")
	})
	slices.Sort(got)
	want := []string{
		"push.example.com/live/kept PUBLISH 1 replayed",
		"push.example.com/live/room PUBLISH 3 ",
		"push.example.com/live/room PUBLISH_DONE 1 ",
		"push.example.com/live/room PUBLISH_DONE 2 ",
		"push.example.com/live/room PUBLISH_DONE 4 ",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
