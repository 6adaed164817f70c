package status

import (
	"time"

	"livebridge/bridge"
)

// State is what the service does at one moment.
type State struct {
	At       time.Time `json:"at"`
	Version  string    `json:"version"`
	Started  time.Time `json:"started"`
	Health   Health    `json:"health"`
	Broker   Link      `json:"broker"`
	Outbox   Outbox    `json:"outbox"`
	Holds    Holds     `json:"holds"`
	Review   Review    `json:"review"`
	Port     Usage     `json:"connections"` // of the callback port
	Traffic  Sample    `json:"traffic"`     // over the last interval
	Sessions Sessions  `json:"sessions"`
	Replica  *Replica  `json:"replica,omitempty"` // absent: the service is not one of many replicas

	LastCallbacks []LastCallback `json:"last_callbacks"`
	Keys          []Key          `json:"keys"`
	Certificates  []Certificate  `json:"certificates"`
	Problems      []string       `json:"problems,omitempty"` // what could not be read
}

// Level is how the service is.
type Level string

// The levels.
const (
	LevelOK       Level = "ok"
	LevelDegraded Level = "degraded" // callbacks are accepted, and somebody should look
	LevelDown     Level = "down"     // callbacks are answered 503
)

// Health is how the service is, and why.
type Health struct {
	Level   Level    `json:"level"`
	Reasons []Reason `json:"reasons"`
}

// Reason is one thing that is not as it should be.
type Reason struct {
	Level Level  `json:"level"`
	Text  string `json:"text"`
}

// Link is the state of the broker.
type Link struct {
	Transport   string `json:"transport"`
	URL         string `json:"url"` // without credentials
	Destination string `json:"destination"`
	Connected   bool   `json:"connected"`
	Available   bool   `json:"available"` // publishing succeeds

	Topic *bridge.TopicState `json:"topic,omitempty"` // of events; absent: not known
}

// Outbox is what waits for the broker, and the space that is left for more.
type Outbox struct {
	Events       int     `json:"events"`
	OldestAge    float64 `json:"oldest_age_seconds"`
	JournalBytes uint64  `json:"journal_bytes"` // of outbox, holds, quarantine and dead letters
	JournalMax   uint64  `json:"journal_max_bytes"`
	FreeBytes    uint64  `json:"disk_free_bytes"`
}

// Holds are events that wait for the one before them.
type Holds struct {
	Events uint64 `json:"events"`
	Lanes  int    `json:"lanes"`
}

// Review is what waits for an operator.
type Review struct {
	Quarantine  uint64         `json:"quarantine"`
	Reasons     map[string]int `json:"quarantine_reasons"`
	DeadLetters uint64         `json:"dead_letters"`
	Oldest      []Entry        `json:"oldest"` // of both, some
}

// Entry is one entry of quarantine or dead letters, without its content.
type Entry struct {
	Queue    bridge.ReviewQueue `json:"queue"`
	Number   uint64             `json:"number"`
	Reason   string             `json:"reason"`
	Detail   string             `json:"detail,omitempty"`
	Received string             `json:"received"`
	Lane     string             `json:"lane,omitempty"` // with its kind
	Type     string             `json:"type"`
}

// Usage is how much of something bounded is used.
type Usage struct {
	Used  int `json:"used"`
	Limit int `json:"limit"`
}

// Sessions are the pushes that have begun and not ended.
type Sessions struct {
	Total int       `json:"total"`
	Shown []Session `json:"shown"` // the latest, at most maxSessions
}

// Session is one push that has begun and not ended.
type Session struct {
	Lane  string     `json:"lane"` // stream:domain/app/stream
	Since time.Time  `json:"since"`
	Last  *Published `json:"last_event,omitempty"` // of its lane; absent: not among the latest that were published
}

// Published is an event that the broker has acknowledged.
type Published struct {
	Lane     string    `json:"lane"` // with its kind
	Type     string    `json:"type"`
	ID       string    `json:"id"`
	Sequence uint64    `json:"sequence"`
	Marks    []string  `json:"marks"`
	Received time.Time `json:"received"` // when its callback was committed
	At       time.Time `json:"published"`
}

// Lane is what is known of one lane.
type Lane struct {
	Lane      string      `json:"lane"`
	Open      bool        `json:"open"` // a push has begun and not ended
	Since     time.Time   `json:"since,omitzero"`
	Published []Published `json:"published"` // the latest, newest first
	Waiting   []Entry     `json:"review"`    // its entries in quarantine and dead letters
	History   History     `json:"history"`
}

// History is what the journal knows of a lane's latest events: what is held, what waits, and what was published and is
// kept.
type History struct {
	Kept    bool   `json:"kept"`   // published events are (JOURNAL_KEEP)
	Events  []Fate `json:"events"` // what is not published first, then the newest
	More    bool   `json:"more"`   // there are others
	Problem string `json:"problem,omitempty"`
}

// Fate is an event and what has become of it.
type Fate struct {
	State     bridge.EventState `json:"state"`
	Type      string            `json:"type"`
	ID        string            `json:"id"`
	Sequence  uint64            `json:"sequence,omitempty"` // absent: held
	Marks     []string          `json:"marks"`
	Received  string            `json:"received"`
	Published string            `json:"published,omitempty"`
	Where     string            `json:"where,omitempty"` // at the broker
}

// LastCallback is when a callback of a kind was last answered 200.
type LastCallback struct {
	Kind string    `json:"kind"`
	At   time.Time `json:"at,omitzero"` // absent: not since the start
}

// Key is a key that verifies callbacks, by its id.
type Key struct {
	Kind string    `json:"kind"`
	ID   string    `json:"id"`
	Uses uint64    `json:"uses"`              // since the start
	Last time.Time `json:"last_use,omitzero"` // absent: not since the start
}

// Certificate is one that the service presents.
type Certificate struct {
	Setting string    `json:"setting"`
	Subject string    `json:"subject"`
	Names   []string  `json:"names"`
	Expires time.Time `json:"expires"`
}

// Setting is one setting in force. Secrets are masked.
type Setting struct {
	Name        string `json:"name"`
	Value       string `json:"value"`
	Source      string `json:"source"`
	Description string `json:"description"`
}

// Refusal is a request that was not answered 200: neither its signature nor its body. Equal ones are counted together.
type Refusal struct {
	At     time.Time `json:"at"` // of the latest
	Kind   string    `json:"kind"`
	Status int       `json:"status"`
	Reason string    `json:"reason"`
	Detail string    `json:"detail,omitempty"`
	Source string    `json:"source"`
	Lane   string    `json:"lane,omitempty"`
	Count  uint64    `json:"count"`
}

// Total is everything that waits for an operator.
func (r Review) Total() uint64 { return r.Quarantine + r.DeadLetters }
