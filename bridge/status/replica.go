package status

import (
	"fmt"
	"strings"

	"livebridge/bridge"
)

// behindLong is from how many seconds on a partition that is behind is a reason to look.
const behindLong = 30

// Replica is what one of many replicas does.
type Replica struct {
	Partitions []bridge.PartitionStats `json:"partitions"`      // of the intake; none: the broker was not found yet
	Queue      *bridge.IntakeStats     `json:"queue,omitempty"` // absent: none is kept (INTAKE_FALLBACK=refuse)
}

// replicaOf returns what a replica has told; nil: it is none.
func replicaOf(stats *bridge.JournalStats) *Replica {
	if stats.Partitions == nil {
		return nil
	}
	return &Replica{Partitions: stats.Partitions, Queue: stats.Intake}
}

// Owned returns how many partitions this replica works on.
func (r *Replica) Owned() (n int) {
	for i := range r.Partitions {
		if r.Partitions[i].State == "owner" {
			n++
		}
	}
	return n
}

// judge adds the reasons for which a replica is not well.
func (r *Replica) judge(add func(l Level, format string, args ...any)) {
	if r.Queue != nil && r.Queue.Callbacks > 0 {
		add(LevelDegraded, "%d callbacks were answered 200 and wait on this replica's disk for the broker.",
			r.Queue.Callbacks)
	}
	var failing, behind []string
	for i := range r.Partitions {
		p := &r.Partitions[i]
		if p.State == "waiting" {
			failing = append(failing, fmt.Sprint(p.Partition))
		}
		if p.BehindSeconds > behindLong {
			behind = append(behind, fmt.Sprint(p.Partition))
		}
	}
	if failing != nil {
		add(LevelDegraded, "Partitions that have failed here and are taken anew: %s; the log says why.",
			strings.Join(failing, ", "))
	}
	if behind != nil {
		add(LevelDegraded, "Partitions that are more than %d s behind: %s.", behindLong, strings.Join(behind, ", "))
	}
}

// ownership says what a replica is to a partition.
func ownership(p bridge.PartitionStats) string {
	switch p.State {
	case "owner":
		return "owned here"
	case "restoring":
		if p.Restored > 0 {
			return fmt.Sprintf("restoring, %.0f %%", 100*p.Restored)
		}
		return "restoring"
	case "waiting":
		return "failed, taken anew"
	case "fenced_out":
		return "fenced out"
	}
	return "not owned here"
}

// because says why an ownership has changed.
func because(why string) string { return strings.ReplaceAll(why, "_", " ") }
