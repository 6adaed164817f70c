package simulator

import (
	"fmt"
	"net/http"

	"livebridge/bridge"
)

// Where the simulated streams are, and the node_ip that names each of their happenings. In SparkRTC the stream is that
// of one room.
const (
	Domain = "push.example.com"
	App    = "live"
	Node   = "192.0.2.2"
	RTCApp = "5fd6f2e5example"
	Room   = "meeting"
)

// Callback is one thing to send. Its times are filled in when it is sent.
type Callback struct {
	Kind    bridge.Kind
	Stream  string
	Event   string // the provider's word; a snapshot has none
	Session int64  // number of the push, the recording or the picture, from 0
	Offset  int64  // seconds: by how much later than the first of its stream its signature expires
	Forged  bool   // signed with another key; a snapshot carries another token
	Again   int    // how often it was sent before
	Resign  bool   // as a repeat: signed again
	Numbers int    // the form of its numbers: 0 as the provider's example, 1 the other way round, 2 with a stray comma
}

// Expect is the status that it should be answered with.
func (c *Callback) Expect() int {
	switch {
	case !c.Forged:
		return http.StatusOK
	case c.Kind == bridge.KindSnapshot:
		return http.StatusNotFound
	}
	return http.StatusUnauthorized
}

// Lane is the one that its event comes out in.
func (c *Callback) Lane() bridge.Lane {
	if c.Kind == bridge.KindRTCRecord {
		return bridge.Lane{Kind: c.Kind, Domain: RTCApp, App: Room, Stream: c.Stream}
	}
	return bridge.Lane{Kind: c.Kind, Domain: Domain, App: App, Stream: c.Stream}
}

// name tells what happened from all else of its stream; base is the session of the first push. It is the node_ip of
// stream status, the snapshot_url of a picture, the job_id of a recording.
func (c *Callback) name(base int64) string {
	job := fmt.Sprintf("%s-%d", c.Stream, base+c.Session)
	switch c.Kind {
	case bridge.KindStream:
		return Node
	case bridge.KindSnapshot:
		return "https://obs.example.com/snapshots/" + job + ".jpg"
	}
	return job
}
