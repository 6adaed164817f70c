package bridge

import "encoding/json"

// ReviewQueue is a part of the journal where something waits for an operator.
type ReviewQueue string

// The shelves. Numbers are unique over both.
const (
	QuarantineQueue ReviewQueue = "quarantine"  // signed well and not believed
	DeadLetterQueue ReviewQueue = "deadletters" // what the broker will never take
)

// Entry is one thing on a shelf. Its JSON is what operators see.
type Entry struct {
	Number   uint64          `json:"number"` // its name; later entries have greater ones
	Reason   string          `json:"reason"` // why it lies there
	Received string          `json:"received"`
	ID       string          `json:"id"`
	Kind     string          `json:"kind"`
	Lane     string          `json:"lane,omitempty"` // absent when the body could not be read
	Type     string          `json:"type"`
	Scheme   string          `json:"signature"`
	Sequence uint64          `json:"sequence,omitempty"` // of a dead letter: the one it has used up
	Data     json.RawMessage `json:"data,omitempty"`     // after redaction
	Raw      []byte          `json:"raw,omitempty"`      // base64: the body as received, with its secrets; of the quarantine alone, and only when asked for
}

// Query chooses entries of a shelf. The zero Query chooses all, as many as fit on one page.
type Query struct {
	After  uint64 `json:"after,omitempty"`  // numbers above this one
	Limit  int    `json:"limit,omitempty"`  // entries; 0, and more than PageMax: PageMax
	Reason string `json:"reason,omitempty"` // empty: any; a dead letter's begins with it
	Lane   string `json:"lane,omitempty"`   // as in Entry; empty: any
	Raw    bool   `json:"raw,omitempty"`    // with the body as received
}

// PageMax is the most entries of one page, and of one order.
const PageMax = 500

// Outcome is what became of one entry of an order.
type Outcome struct {
	Number  uint64    `json:"number"`
	Problem string    `json:"problem,omitempty"` // why nothing was done; empty: done
	Emitted *Emission `json:"emitted,omitempty"` // the replay that Release has put into the outbox
}

// Emission names an event by its place: the lane and the sequence.
type Emission struct {
	Kind     string `json:"kind"`
	Lane     string `json:"lane"` // as in Entry
	Sequence uint64 `json:"sequence"`
}

// DeliveryState is how far an emission has come.
type DeliveryState string

// The states of an emission.
const (
	DeliveryWaiting    DeliveryState = "waiting"     // in the outbox
	DeliveryPublished  DeliveryState = "published"   // acknowledged by the broker
	DeliveryDeadLetter DeliveryState = "dead_letter" // rejected by the broker
)

// Delivery is what has become of one emission.
type Delivery struct {
	State      DeliveryState `json:"state"`
	DeadLetter uint64        `json:"dead_letter,omitempty"` // its number
	Reason     string        `json:"reason,omitempty"`      // of the dead letter
}

// ReviewQueues is what an operator can do with both shelves, whether the service runs (through its control socket) or not.
//
// Release puts entries back into their lanes as replays: the same id, the lane's next sequence, the mark replayed. Purge
// drops them. When either returns nil, everything with an empty Problem is on disk, in one commit. An error says that
// nothing is known: ErrStopping, ErrFailed, or that the journal could not be reached or read.
type ReviewQueues interface {
	List(s ReviewQueue, q Query) ([]Entry, error)
	Release(s ReviewQueue, numbers []uint64) ([]Outcome, error)
	Purge(s ReviewQueue, numbers []uint64) ([]Outcome, error)
}

// Usage is a number of entries and of bytes that they take.
type Usage struct {
	Entries uint64 `json:"entries"`
	Bytes   uint64 `json:"bytes"`
}

// JournalStats is what a journal holds.
type JournalStats struct {
	Format      string         `json:"format"`
	Commit      uint64         `json:"commit"` // number of the last one
	Outbox      Usage          `json:"outbox"` // emitted, and not known to be on the broker's disk
	Held        Usage          `json:"held"`   // wait for the event before them
	LanesHeld   int            `json:"lanes_held"`
	Lanes       uint64         `json:"lanes"` // remembered
	Quarantine  Usage          `json:"quarantine"`
	Reasons     map[string]int `json:"quarantine_reasons,omitempty"`
	DeadLetters Usage          `json:"dead_letters"`
	Identities  uint64         `json:"identities"` // by which repeats are known
	Bytes       uint64         `json:"bytes"`      // that JOURNAL_MAX_BYTES limits
	MaxBytes    uint64         `json:"max_bytes"`
	StoreBytes  uint64         `json:"store_bytes"` // on disk, all told
	FreeBytes   uint64         `json:"free_bytes"`  // on the disk
}

// ReplayQuery chooses events of the outbox. The zero ReplayQuery begins with the first of all lanes.
type ReplayQuery struct {
	Kind   string `json:"kind,omitempty"`   // together with Lane; both empty: all lanes
	Lane   string `json:"lane,omitempty"`   // as in Entry
	Cursor []byte `json:"cursor,omitempty"` // of the result before
	UpTo   uint64 `json:"up_to,omitempty"`  // of the result before
}

// ReplayResult is one page of replays, on disk. Cursor is nil when it was the last; else a query with the same lane, this
// Cursor and this UpTo goes on.
type ReplayResult struct {
	Replayed int        `json:"replayed"`
	Emitted  []Emission `json:"emitted,omitempty"` // the replays
	Cursor   []byte     `json:"cursor,omitempty"`
	UpTo     uint64     `json:"up_to,omitempty"`
}

// JournalAdmin is what an operator can do with a journal as a whole, whether its service runs or not. Replay emits events of the
// outbox once more, behind everything of their lanes: the same id, the next sequence, the mark replayed. Replays are not
// replayed again.
//
// Deliveries says how far replays of this run have come: those of Release and Replay, at most PageMax at once, in the
// same order. It does not wait. Where no service runs all of them are waiting.
type JournalAdmin interface {
	Inspect() (JournalStats, error)
	Replay(q ReplayQuery) (ReplayResult, error)
	Deliveries(emissions []Emission) ([]Delivery, error)
}
