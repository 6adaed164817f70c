package checker

import (
	"fmt"

	"livebridge/bridge"
)

// Occurrence identifies one occurrence at the provider, in callbacks and in events. It is not the event's id, which is
// one of the things to check.
type Occurrence struct {
	Kind    string        `json:"kind"`              // stream, record, snapshot or rtc-record
	Subject string        `json:"subject"`           // as the event's: domain/app/stream, percent-encoded
	Event   string        `json:"event,omitempty"`   // the event name, such as PUBLISH_DONE
	Session bridge.Millis `json:"session,omitempty"` // normalised publish_timestamp; 0 if unusable
	// Name distinguishes it from similar ones: the node_ip of stream status, the snapshot_url of a snapshot, the job_id of
	// a recording or, without one, its task_id.
	Name string `json:"name,omitempty"`
}

// lane returns the name of its lane, as bridge.Lane writes it.
func (o Occurrence) lane() string { return o.Kind + ":" + o.Subject }

// selfIdentifying reports whether the content alone identifies the occurrence, in re-signed redeliveries too.
func (o Occurrence) selfIdentifying() bool {
	return o.Kind == bridge.KindStream.String() && o.Session != 0 || o.Event == "RECORD_FILE_COMPLETE"
}

// unreadable reports whether nothing is known of it: the body of a quarantined callback could not be decoded.
func (o Occurrence) unreadable() bool { return o == Occurrence{Kind: o.Kind} }

// String identifies it within its lane, for the report.
func (o Occurrence) String() string {
	name := o.Event
	if name == "" {
		name = o.Kind
	}
	if o.Session != 0 {
		name += fmt.Sprintf(" of session %d", o.Session)
	}
	return fmt.Sprintf("%s (%s)", name, o.Name)
}

// members are those of an event's data that make an Occurrence, under the event's own names.
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
