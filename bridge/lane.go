package bridge

// Lane is what order is promised within: one kind of callback of one stream. SparkRTC has no domain and app: Domain
// holds its app_id and App its room_id, which may be empty. A quarantine lane has only a kind; with many replicas its
// Stream is the number of the partition.
type Lane struct {
	Kind   Kind
	Domain string // lower case; or the app_id
	App    string // or the room_id
	Stream string
}

// IsZero reports whether the lane names no stream: a quarantine lane, or a callback whose lane could not be decoded.
func (l Lane) IsZero() bool { return l.Domain == "" && l.App == "" && l.Stream == "" }

// Subject returns domain/app/stream (app_id/room_id/stream), each part percent-encoded: the event's subject, its
// partition key and, after the kind, the lane's name in the journal.
func (l Lane) Subject() string { return string(l.AppendSubject(make([]byte, 0, 128))) }

// AppendSubject appends Subject to dst.
func (l Lane) AppendSubject(dst []byte) []byte {
	dst = append(AppendEscaped(dst, l.Domain, KeepDot), '/')
	dst = append(AppendEscaped(dst, l.App, KeepDot), '/')
	return AppendEscaped(dst, l.Stream, KeepDot)
}

// String returns the kind and the subject, for logs: stream:push.example.com/live/room1.
func (l Lane) String() string { return l.Kind.String() + ":" + l.Subject() }
