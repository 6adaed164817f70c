package bridge

import "time"

// PartitionStats is what a replica knows of a partition that many replicas share. What is counted is of this replica,
// since its start.
type PartitionStats struct {
	Partition int       `json:"partition"`
	State     string    `json:"state"`          // of this replica: owner, restoring, waiting, fenced_out or other
	Since     time.Time `json:"since,omitzero"` // absent: since the start
	Epoch     uint64    `json:"epoch"`          // of this replica's last ownership; 0 where the broker tells none, too

	Commits uint64 `json:"commits"` // by all owners, as of the last commit that this replica knows
	Next    uint64 `json:"next"`    // position in the intake that is read next, likewise
	Backlog uint64 `json:"backlog"` // inputs of the intake that are not committed, as the owner knows; 0 of any other
	Behind  string `json:"behind"`  // age of the oldest of them that was read; 0s: none is

	BehindSeconds float64 `json:"behind_seconds"` // likewise

	Takeovers    uint64           `json:"takeovers"`
	Taken        *PartitionChange `json:"taken,omitempty"`    // the last takeover; absent: none
	GivenUp      *PartitionChange `json:"given_up,omitempty"` // the last end of an ownership, or attempt; absent: none
	Restored     float64          `json:"restored"`           // part of the state, while it is restoring; 0: not known
	RestoredRows uint64           `json:"restored_rows"`      // by the last takeover, or until now

	Committed uint64 `json:"committed"` // transactions
	Aborted   uint64 `json:"aborted"`   // transactions that have failed, or whose end is not known
	Fenced    uint64 `json:"fenced"`    // ownerships that ended because the broker fenced this replica out
	Failures  uint64 `json:"failures"`  // ownerships that ended with an error

	Held        int   `json:"held"` // events
	Quarantine  Usage `json:"quarantine"`
	DeadLetters Usage `json:"dead_letters"`
}

// PartitionChange is a takeover, or the end of an ownership.
type PartitionChange struct {
	At   time.Time `json:"at"`
	Why  string    `json:"why"`                    // see the constants of package cluster
	Took float64   `json:"took_seconds,omitempty"` // of a takeover: until the first read of the intake
}

// IntakeStats is what a replica keeps for a broker that has not acknowledged it.
type IntakeStats struct {
	Callbacks int    `json:"callbacks"` // that wait on the disk; they were answered 200
	Bytes     uint64 `json:"bytes"`
	Queued    uint64 `json:"queued"` // since the start
}
