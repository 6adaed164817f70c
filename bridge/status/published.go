package status

import (
	"strings"
	"sync"
	"time"

	"livebridge/bridge"
)

// rememberedEvents is how many published events are remembered. A lane whose last event is further back is shown
// without it.
const rememberedEvents = 2048

// Events remembers the latest events that the broker has acknowledged. The zero value is ready to use.
type Events struct {
	mu    sync.Mutex
	ring  []event
	count uint64 // of all that were added
}

// event is a remembered event. Its buffers are used again by the one that replaces it.
type event struct {
	lane, kind         []byte // lane: with the kind before it
	id                 bridge.ID
	sequence           uint64
	marks              bridge.Marks
	received, answered bridge.Millis
}

// Add remembers an event that was acknowledged at a time. It does not keep e.
func (r *Events) Add(e *bridge.Event, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.ring) < rememberedEvents {
		r.ring = append(r.ring, event{})
	}
	at := &r.ring[r.count%rememberedEvents]
	r.count++
	at.lane = append(append(at.lane[:0], e.Lane.Kind.String()...), ':')
	at.lane = e.Lane.AppendSubject(at.lane)
	at.kind = append(at.kind[:0], e.Type...)
	at.id, at.sequence, at.marks = e.ID, e.Sequence, e.Marks
	at.received, at.answered = e.Recorded, bridge.MillisOf(now)
}

// each calls f for every remembered event, newest first, until it returns false.
func (r *Events) each(f func(*event) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range uint64(len(r.ring)) {
		if !f(&r.ring[(r.count-1-i)%rememberedEvents]) {
			return
		}
	}
}

// lastOf returns the latest remembered event of each of these lanes.
func (r *Events) lastOf(lanes map[string]bool) map[string]*Published {
	found := make(map[string]*Published)
	r.each(func(e *event) bool {
		if lanes[string(e.lane)] && found[string(e.lane)] == nil {
			p := e.show()
			found[p.Lane] = &p
		}
		return len(found) < len(lanes)
	})
	return found
}

// of returns the remembered events of one lane, newest first.
func (r *Events) of(lane string) []Published {
	all := []Published{}
	r.each(func(e *event) bool {
		if string(e.lane) == lane {
			all = append(all, e.show())
		}
		return true
	})
	return all
}

func (e *event) show() Published {
	return Published{Lane: string(e.lane), Type: string(e.kind), ID: e.id.String(), Sequence: e.sequence,
		Marks: append([]string{}, e.marks.List()...), Received: instant(e.received), At: instant(e.answered)}
}

func instant(m bridge.Millis) time.Time { return time.UnixMilli(int64(m)).UTC() }

// shortType is the last part of an event's type, which says what has happened: publish, done.
func shortType(full string) string {
	return full[strings.LastIndexByte(full, '.')+1:]
}
