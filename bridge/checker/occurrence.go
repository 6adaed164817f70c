package checker

import (
	"fmt"

	"livebridge/bridge"
)

// Occurrence tells one thing that happened at the provider from every other, in what was sent and in what came out. It is
// not the event's id: the id is one of the things to be judged.
type Occurrence struct {
	Kind    string        `json:"kind"`              // stream, record, snapshot or rtc-record
	Subject string        `json:"subject"`           // as the event's: domain/app/stream, percent-encoded
	Event   string        `json:"event,omitempty"`   // the provider's word, such as PUBLISH_DONE
	Session bridge.Millis `json:"session,omitempty"` // normalised publish_timestamp; 0 when it is no usable session
	// Name is what tells it from others alike: the node_ip of stream status, the snapshot_url of a snapshot, the job_id
	// of a recording and its task_id where it has none.
	Name string `json:"name,omitempty"`
}

// lane returns the name of the lane it belongs to, as bridge.Lane writes it.
func (o Occurrence) lane() string { return o.Kind + ":" + o.Subject }

// selfIdentifying reports whether its content alone is its identity, however often and however signed it is sent.
func (o Occurrence) selfIdentifying() bool {
	return o.Kind == bridge.KindStream.String() && o.Session != 0 || o.Event == "RECORD_FILE_COMPLETE"
}

// unreadable reports whether nothing is known of it: the body of a quarantined callback could not be read.
func (o Occurrence) unreadable() bool { return o == Occurrence{Kind: o.Kind} }

// String says which one of its lane it is, for the report.
func (h Occurrence) String() string {
	name := h.Event
	if name == "" {
		name = h.Kind
	}
	if h.Session != 0 {
		name += fmt.Sprintf(" of session %d", h.Session)
	}
	return fmt.Sprintf("%s (%s)", name, h.Name)
}

// members are those of an event's data that make a Happening, under the event's own names.
type members struct {
	Event       string `json:"event"`
	NodeIP      string `json:"node_ip"`
	SnapshotURL string `json:"snapshot_url"`
	JobID       string `json:"job_id"`
	TaskID      string `json:"task_id"`
	Session     any    `json:"publish_timestamp"`
}

func (m *members) name(kind string) string {
	switch {
	case kind == bridge.KindStream.String():
		return m.NodeIP
	case kind == bridge.KindSnapshot.String():
		return m.SnapshotURL
	case m.JobID != "":
		return m.JobID
	}
	return m.TaskID
}
