package main

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
)

// TestConfigCheckOfAReplica: each thing that a replica needs of its brokers is a check of its own, and one that is not
// as it must be fails by its name, with the way out.
func TestConfigCheckOfAReplica(t *testing.T) {
	address := fakeKafka(t, kfake.SeedTopics(2, "live.events"), kfake.SeedTopics(3, "live.events.intake"))
	all, code := checksOf(t, with("TRANSPORT", "kafka", "INTAKE", "broker", "KAFKA_BROKERS", address, "INTAKE_GROUP",
		"team", "DATA_DIR", t.TempDir(), "MIN_FREE_BYTES", "1MiB"))
	if code != exitFailed {
		t.Errorf("exit code %d: %v", code, all)
	}
	for _, want := range []checkResult{
		{"events", checkOK, "topic live.events has 2 partitions"},
		{"intake", checkFailed, "has 3 partitions and live.events has 2: replicas need as many in each"},
		{"state", checkOK, "topic live.events.state is created at the start"},
		{"quarantine", checkOK, "topic live.quarantine is created at the start"},
		{"transactions", checkOK, "transactional ids that begin with team-live.events- are permitted"},
		{"group", checkOK, "the consumer group team is permitted"},
	} {
		if got := checkNamed(t, all, want.Name); got.Status != want.Status || !strings.Contains(got.Detail, want.Detail) {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
}
