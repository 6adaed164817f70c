package bridge

import (
	"encoding/json"
	"strconv"
)

// Position is where a broker has stored an event.
type Position struct {
	Topic     string `json:"topic"`             // Kafka topic, or NATS stream
	Subject   string `json:"subject,omitempty"` // NATS subject
	Partition int32  `json:"partition"`         // of the Kafka topic; -1: none
	Offset    int64  `json:"offset"`            // in the partition, or sequence in the stream; -1: the broker did not tell
}

// IsZero reports whether nothing is known.
func (p Position) IsZero() bool { return p.Topic == "" }

// String returns the position as it is shown: topic, partition and offset, or stream, subject and sequence.
func (p Position) String() string {
	text := p.Topic
	if p.Subject != "" {
		text += " " + p.Subject
	}
	number := " sequence "
	if p.Partition >= 0 {
		text += " partition " + strconv.Itoa(int(p.Partition))
		number = " offset "
	}
	if p.Offset >= 0 {
		text += number + strconv.FormatInt(p.Offset, 10)
	}
	return text
}

// PositionReporter is a Publisher that tells where its broker stores events. ReportPositions is called before the first
// Publish; stored is then called at most once for each event that is acknowledged, before its done, must not block and
// must not keep the event. An event whose position the acknowledgement does not tell may be left out.
type PositionReporter interface {
	ReportPositions(stored func(e *Event, at Position))
}

// EventState is what has become of an event.
type EventState string

// The states of events.
const (
	StatePublished  EventState = "published"   // the broker has acknowledged it
	StateWaiting    EventState = "waiting"     // in the outbox, for the broker
	StateHeld       EventState = "held"        // for the event before it in its lane
	StateQuarantine EventState = "quarantined" // for an operator, not trusted
	StateDeadLetter EventState = "dead_letter" // for an operator, rejected by the broker
)

// Fate is what has become of one callback, or of one replay of it: each publication has its own. Its JSON is what
// operators see. Times are RFC 3339 in UTC with milliseconds.
type Fate struct {
	State     EventState      `json:"state"`
	ID        string          `json:"id"`
	Kind      string          `json:"kind"`
	Lane      string          `json:"lane,omitempty"` // as in Entry
	Type      string          `json:"type"`
	Session   Millis          `json:"session,omitempty"` // normalised publish_timestamp, in Unix milliseconds
	Received  string          `json:"received"`
	Sequence  uint64          `json:"sequence,omitempty"` // absent: nothing was emitted
	Marks     []string        `json:"marks,omitempty"`
	Published string          `json:"published,omitempty"` // when the broker acknowledged it
	Position  *Position       `json:"position,omitempty"`  // absent: not known
	Number    uint64          `json:"number,omitempty"`    // of the entry in the quarantine or the dead letters
	Reason    string          `json:"reason,omitempty"`    // of that entry
	Detail    string          `json:"detail,omitempty"`    // likewise
	Event     json.RawMessage `json:"event,omitempty"`     // as CloudEvents JSON, with HistoryQuery.Content
}

// EventFilter selects events. Its zero value selects all.
type EventFilter struct {
	Kind    string `json:"kind,omitempty"`    // together with Lane
	Lane    string `json:"lane,omitempty"`    // as in Entry
	Session Millis `json:"session,omitempty"` // normalised publish_timestamp, in Unix milliseconds
	ID      string `json:"id,omitempty"`      // 32 hex digits
	From    Millis `json:"from,omitempty"`    // published at this moment or later; of what is not: received
	Until   Millis `json:"until,omitempty"`   // published before this moment; likewise
}

// IsZero reports whether all events are selected.
func (f EventFilter) IsZero() bool { return f == EventFilter{} }

// HistoryQuery asks for a page of the history, or of what is not published. The zero HistoryQuery begins with the
// oldest of all.
type HistoryQuery struct {
	EventFilter
	Replayable bool   `json:"replayable,omitempty"` // only what a replay publishes: no replays, each event once in a page
	Newest     bool   `json:"newest,omitempty"`     // begin with the newest; not for what is not published
	Content    bool   `json:"content,omitempty"`    // with the events themselves
	Limit      int    `json:"limit,omitempty"`      // events; 0, and more than PageMax: PageMax
	Cursor     []byte `json:"cursor,omitempty"`     // of the previous page
}

// HistoryPage is one page. It may have fewer events than the limit, or none, and more may follow: Cursor is nil after
// the last page, otherwise the same query with it continues.
type HistoryPage struct {
	Events []Fate `json:"events"`
	Cursor []byte `json:"cursor,omitempty"`
}

// HistoryStats is what the journal keeps of published events.
type HistoryStats struct {
	Usage
	MaxBytes uint64 `json:"max_bytes"`        // JOURNAL_KEEP_BYTES
	Keep     string `json:"keep,omitempty"`   // JOURNAL_KEEP; absent: it is off now, or for this command
	Oldest   string `json:"oldest,omitempty"` // when its oldest event was published
}

// Historian tells what has become of callbacks. The journal and the client of its control socket implement it. Both
// methods only read, may be called at any time, and look at a bounded number of entries for each page.
//
// History returns published events, which the journal keeps for JOURNAL_KEEP; nothing when that is 0. Unpublished
// returns those that are held or wait in the outbox; entries of the quarantine and dead letters are listed by
// ReviewQueues. An event moves from the second to the first: whoever must not miss it reads Unpublished first.
type Historian interface {
	History(q HistoryQuery) (HistoryPage, error)
	Unpublished(q HistoryQuery) (HistoryPage, error)
}
