package admin

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"testing"

	"livebridge/bridge"
)

// TestAuditLines: who did what, to which entries, and which were not there.
func TestAuditLines(t *testing.T) {
	o := &fakeOperator{}
	dir, logs := control(t, o)
	client := dialed(t, dir)
	if _, err := client.Release(bridge.QuarantineQueue, []uint64{7, 8}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Replay(bridge.ReplayQuery{Kind: "stream", Lane: "a/b/c"}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Release(bridge.DeadLetterQueue, []uint64{7}); err != nil {
		t.Fatal(err)
	}
	o.err = errors.New("journal failed")
	if _, err := client.Purge(bridge.DeadLetterQueue, []uint64{9}); err == nil {
		t.Error("the purge did not fail")
	}
	want := []map[string]string{
		{"command": "quarantine release", "entries": "[7]", "missing": "[8]"},
		{"command": "journal replay", "kind": "stream", "lane": "a/b/c", "events": "2"},
		{"command": "deadletters retry", "entries": "[7]", "missing": "[8]"},
		{"command": "deadletters purge", "requested": "[9]", "error": "journal failed"},
	}
	lines := logs.All()
	if len(lines) != len(want) {
		t.Fatalf("%d lines", len(lines))
	}
	for i, line := range lines {
		got := line.ContextMap()
		for field, value := range want[i] {
			if fmt.Sprint(got[field]) != value {
				t.Errorf("%s: %s is %v, want %s", line.Message, field, got[field], value)
			}
		}
		if uid := fmt.Sprint(os.Getuid()); runtime.GOOS == "linux" &&
			(fmt.Sprint(got["uid"]) != uid || fmt.Sprint(got["pid"]) != fmt.Sprint(os.Getpid())) {
			t.Errorf("the caller is %v, %v", got["uid"], got["pid"])
		}
	}
}
