package bridge

import (
	"encoding/json"
	"strings"
	"time"
)

// ReviewQueue is a part of the journal whose entries wait for an operator.
type ReviewQueue string

// The queues. Entry numbers are unique across both.
const (
	QuarantineQueue ReviewQueue = "quarantine"  // callbacks with a valid signature that are not trusted
	DeadLetterQueue ReviewQueue = "deadletters" // events that the broker rejected for good
)

// Entry is one entry of a queue. Its JSON is what operators see.
type Entry struct {
	Number   uint64          `json:"number"`           // its name; later entries have greater ones
	Reason   string          `json:"reason"`           // why it is in the queue
	Detail   string          `json:"detail,omitempty"` // of a dead letter: what is wrong, in words
	Received string          `json:"received"`
	ID       string          `json:"id"`
	Kind     string          `json:"kind"`
	Lane     string          `json:"lane,omitempty"` // absent when the body could not be decoded
	Type     string          `json:"type"`
	Scheme   string          `json:"signature"`
	Sequence uint64          `json:"sequence,omitempty"` // of a dead letter: the one it was given
	Data     json.RawMessage `json:"data,omitempty"`     // after redaction

	// Raw is the body as received, with its secrets, in base64: of quarantine entries, and only with Query.Raw.
	Raw []byte `json:"raw,omitempty"`
}

// Query selects entries of a queue. The zero Query selects the first page of all.
type Query struct {
	After  uint64 `json:"after,omitempty"`  // numbers above this one
	Limit  int    `json:"limit,omitempty"`  // entries; 0, and more than PageMax: PageMax
	Reason string `json:"reason,omitempty"` // empty: any; of a dead letter, a prefix
	Lane   string `json:"lane,omitempty"`   // as in Entry; empty: any
	Raw    bool   `json:"raw,omitempty"`    // with the body as received
}

// Matches reports whether the query asks for an entry, whatever its number.
func (q *Query) Matches(e *Entry) bool {
	return (q.Lane == "" || e.Lane == q.Lane) && strings.HasPrefix(e.Reason, q.Reason)
}

// Size is how many entries a page of the query has at most.
func (q *Query) Size() int {
	if q.Limit <= 0 {
		return PageMax
	}
	return min(q.Limit, PageMax)
}

// PageMax is the most entries of one page, and of one command.
const PageMax = 500

// Outcome is the result of a command for one entry.
type Outcome struct {
	Number  uint64    `json:"number"`
	Problem string    `json:"problem,omitempty"` // why it failed; empty: it succeeded
	Emitted *Emission `json:"emitted,omitempty"` // the replay that Release put into the outbox
}

// Emission identifies an event by its lane and sequence.
type Emission struct {
	Kind     string `json:"kind"`
	Lane     string `json:"lane"` // as in Entry
	Sequence uint64 `json:"sequence"`
}

// DeliveryState is how far the delivery of an emission has come.
type DeliveryState string

// The states of an emission.
const (
	DeliveryWaiting    DeliveryState = "waiting"     // in the outbox
	DeliveryPublished  DeliveryState = "published"   // acknowledged by the broker
	DeliveryDeadLetter DeliveryState = "dead_letter" // rejected by the broker
)

// Delivery is the delivery of one emission.
type Delivery struct {
	State      DeliveryState `json:"state"`
	DeadLetter uint64        `json:"dead_letter,omitempty"` // its number
	Reason     string        `json:"reason,omitempty"`      // of the dead letter
	Detail     string        `json:"detail,omitempty"`      // likewise
}

// ReviewQueues is what an operator can do with both queues, through the control socket while the service runs, and with
// the journal itself otherwise.
//
// Release puts entries back into their lanes as replays: the same id, the lane's next sequence, the mark replayed.
// Purge deletes them. When either returns nil, everything with an empty Problem is on disk, in one commit. After an
// error the outcome is unknown: ErrStopping, ErrFailed, or the journal could not be reached or read.
type ReviewQueues interface {
	List(s ReviewQueue, q Query) ([]Entry, error)
	Release(s ReviewQueue, numbers []uint64) ([]Outcome, error)
	Purge(s ReviewQueue, numbers []uint64) ([]Outcome, error)
}

// Usage is a number of entries and their size.
type Usage struct {
	Entries uint64 `json:"entries"`
	Bytes   uint64 `json:"bytes"`
}

// Backlog is what waits in the journal for the broker, and the space that is left for more.
type Backlog struct {
	Events       int           // of the outbox
	OldestAge    time.Duration // of the oldest event of the outbox in memory
	JournalBytes uint64        // of outbox, holds, quarantine and dead letters
	FreeBytes    uint64        // on the volume
}

// JournalStats is what a journal holds.
type JournalStats struct {
	Format      string         `json:"format"`
	Commit      uint64         `json:"commit"` // number of the last one
	Outbox      Usage          `json:"outbox"` // emitted, and not known to be durable at the broker
	Held        Usage          `json:"held"`   // events that wait for the one before them
	LanesHeld   int            `json:"lanes_held"`
	Lanes       uint64         `json:"lanes"` // remembered
	Quarantine  Usage          `json:"quarantine"`
	Reasons     map[string]int `json:"quarantine_reasons,omitempty"`
	DeadLetters Usage          `json:"dead_letters"`
	Identities  uint64         `json:"identities"` // by which duplicates are recognised
	Bytes       uint64         `json:"bytes"`      // limited by JOURNAL_MAX_BYTES
	MaxBytes    uint64         `json:"max_bytes"`
	StoreBytes  uint64         `json:"store_bytes"`       // on disk, in total
	FreeBytes   uint64         `json:"free_bytes"`        // on the disk
	History     *HistoryStats  `json:"history,omitempty"` // absent: none is kept

	Partitions []PartitionStats `json:"partitions,omitzero"` // of many replicas; absent otherwise
	Intake     *IntakeStats     `json:"intake,omitempty"`    // of a replica that keeps callbacks; absent otherwise
}

// ReplayQuery selects events of the outbox, or of the history. The zero ReplayQuery begins with the first of all lanes
// in the outbox.
type ReplayQuery struct {
	Kind    string       `json:"kind,omitempty"`    // together with Lane; both empty: all lanes
	Lane    string       `json:"lane,omitempty"`    // as in Entry
	History *EventFilter `json:"history,omitempty"` // not nil: of the history, instead of Kind and Lane
	Cursor  []byte       `json:"cursor,omitempty"`  // of the previous result
	UpTo    uint64       `json:"up_to,omitempty"`   // of the previous result
}

// ReplayResult is one page of replays, on disk. Cursor is nil after the last page; otherwise a query with the same
// lane, this Cursor and this UpTo continues.
type ReplayResult struct {
	Replayed int        `json:"replayed"`
	Filtered int        `json:"filtered,omitempty"` // of types that PUBLISH_TYPES leaves out: not replayed
	Emitted  []Emission `json:"emitted,omitempty"`  // the replays
	Cursor   []byte     `json:"cursor,omitempty"`
	UpTo     uint64     `json:"up_to,omitempty"`
}

// JournalAdmin is what an operator can do with a journal as a whole, whether its service runs or not. Replay emits
// events of the outbox, or of the history, once more, after everything else in their lanes: the same id, the next
// sequence, the mark replayed. Replays are not replayed again.
//
// Deliveries returns the deliveries of replays that Release and Replay made in this run, at most PageMax at once, in
// the same order. It does not wait. While no service runs, all of them are waiting.
type JournalAdmin interface {
	Inspect() (JournalStats, error)
	Replay(q ReplayQuery) (ReplayResult, error)
	Deliveries(emissions []Emission) ([]Delivery, error)
}
