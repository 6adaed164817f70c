package callback

import "livebridge/bridge"

// Limits of the names that make up a lane, in bytes of UTF-8.
const (
	domainMax = 253
	appMax    = 255
	streamMax = 512
)

// shape is how a member's value is normalised.
type shape uint8

const (
	text         shape = iota // a string, unchanged
	host                      // a string in lower case
	integer                   // an integer, from a number or a string
	instant                   // RFC 3339 in UTC with milliseconds, from a string
	session                   // publish_timestamp
	signing                   // needed by the signature check, and never in the data
	nested                    // an object with members of its own: obs_addr
	unrecognized              // not the sender's: the position of "unrecognized"
)

// role is what a member's value is needed for besides the data.
type role uint8

const (
	noRole role = iota
	roleDomain
	roleApp
	roleStream
	roleEvent
	roleDownload
	rolePlay
	roleAuthTimestamp
	roleAuthSign
	roleStart
	roleEnd
	roles // how many there are
)

// presence says whether a member is required.
type presence bool

const (
	optional presence = false
	required presence = true
)

// member is a row of a callback's table.
type member struct {
	in    string // the sender's name
	out   string // the normalised name; "" for what never appears in the data
	shape shape
	role  role
	need  presence
	limit int // above 0: part of the lane, at most this many bytes and no control character
}

// eventSpec is an event name of the provider.
type eventSpec struct {
	name            string
	ceType          string // the CloudEvents type
	phase           bridge.Phase
	selfIdentifying bool // the body alone identifies the occurrence
}

// definition describes one kind of callback. It is never written to.
type definition struct {
	kind        bridge.Kind
	events      []eventSpec
	unknownType string   // the type for any other event name
	members     []member // in the order of the output, followed by those that are never output
}

// definitionOf returns nil for an unknown kind.
func definitionOf(kind bridge.Kind) *definition {
	switch kind {
	case bridge.KindStream:
		return &streamStatus
	case bridge.KindRecord:
		return &recording
	case bridge.KindSnapshot:
		return &snapshot
	case bridge.KindRTCRecord:
		return &rtcRecording
	}
	return nil
}

// find returns the row of the sender's name, or -1.
func find(members []member, name []byte) int {
	for i := range members {
		if members[i].in == string(name) && members[i].shape != unrecognized {
			return i
		}
	}
	return -1
}

// lookup returns the event of this name; an unknown one has the type for unknown events and no phase.
func (d *definition) lookup(name []byte) (eventSpec, bool) {
	for i := range d.events {
		if d.events[i].name == string(name) {
			return d.events[i], true
		}
	}
	return eventSpec{name: string(name), ceType: d.unknownType}, false
}
