package simulator

import (
	"cmp"
	"fmt"
	"net/http"

	"livebridge/bridge"
)

// The domain and app of the simulated streams, and their node_ip. In SparkRTC they are the streams of one room.
const (
	Domain = "push.example.com"
	App    = "live"
	Node   = "192.0.2.2"
	RTCApp = "5fd6f2e5example"
	Room   = "meeting"
)

// Callback is one callback to send. Its times are filled in when it is sent.
type Callback struct {
	Kind    bridge.Kind
	Domain  string // empty: the constant; SparkRTC: the app's id
	App     string // empty: the constant; SparkRTC: the room
	Stream  string
	Event   string // the event name; empty for snapshots
	Session int64  // number of the push, recording or snapshot, from 0
	Offset  int64  // by how many seconds later than the first of its stream its signature expires
	Forged  bool   // signed with another key; a snapshot carries another token
	Again   int    // how often it was sent before
	Resign  bool   // a redelivery is signed again
	Numbers int    // the form of its numbers: 0 as in the provider's example, 1 the other type, 2 with a stray comma
}

// expected is the expected status.
func (c *Callback) expected() int {
	switch {
	case !c.Forged:
		return http.StatusOK
	case c.Kind == bridge.KindSnapshot:
		return http.StatusNotFound
	}
	return http.StatusUnauthorized
}

// Lane is the lane of its event.
func (c *Callback) Lane() bridge.Lane {
	domain, app := Domain, App
	if c.Kind == bridge.KindRTCRecord {
		domain, app = RTCApp, Room
	}
	return bridge.Lane{Kind: c.Kind, Domain: cmp.Or(c.Domain, domain), App: cmp.Or(c.App, app), Stream: c.Stream}
}

// Name identifies the occurrence within its stream: the node_ip of stream status, the snapshot_url of a snapshot, the
// job_id of a recording. base is the session of the first push.
func (c *Callback) Name(base int64) string {
	job := fmt.Sprintf("%s-%d", c.Stream, base+c.Session)
	switch c.Kind {
	case bridge.KindStream:
		return Node
	case bridge.KindSnapshot:
		return "https://obs.example.com/snapshots/" + job + ".jpg"
	}
	return job
}
