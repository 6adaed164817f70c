package processor

import (
	"github.com/hashicorp/golang-lru/v2/simplelru"

	"livebridge/bridge"
)

// lanes is the memory of lanes. It changes no decision: what it does not have is read. Lanes that hold something stay,
// since their deadlines point at them; so do those that the view does not show yet as they are.
type lanes struct {
	view   View
	floor  *uint64 // a new lane begins behind it
	limits Limits
	cached *simplelru.LRU[bridge.Lane, *lane]
	pinned map[bridge.Lane]*lane // evicted while they must stay

	sessions bool // lanes have them
}

func newLanes(p *Processor) (*lanes, error) {
	ls := &lanes{view: p.view, floor: &p.counters.Floor, limits: p.opts.Limits, pinned: make(map[bridge.Lane]*lane),
		sessions: p.opts.SessionEvents}
	var err error
	ls.cached, err = simplelru.NewLRU(p.opts.LanesCached, ls.evicted)
	return ls, err
}

func (ls *lanes) evicted(name bridge.Lane, l *lane) {
	if l.mustStay() {
		ls.pinned[name] = l
	}
}

func (l *lane) mustStay() bool { return l.changed != unchanged || len(l.State.Held) > 0 }

// unpin lets go of the evicted lanes that need not stay any more.
func (ls *lanes) unpin() {
	for name, l := range ls.pinned {
		if !l.mustStay() {
			delete(ls.pinned, name)
		}
	}
}

// get returns the lane, from memory, from the view, or a new one.
func (ls *lanes) get(name bridge.Lane, now Moment) (*lane, error) {
	if l, found := ls.cached.Get(name); found {
		return l, nil
	}
	l, found := ls.pinned[name]
	if !found {
		var err error
		if l, err = ls.read(name, now); err != nil {
			return nil, err
		}
	}
	delete(ls.pinned, name)
	ls.cached.Add(name, l)
	return l, nil
}

// peek returns what is kept of the lane, which stays where it is.
func (ls *lanes) peek(name bridge.Lane, now Moment) (*LaneState, error) {
	if l, found := ls.cached.Peek(name); found {
		return &l.LaneState, nil
	}
	if l, found := ls.pinned[name]; found {
		return &l.LaneState, nil
	}
	l, _, err := ls.view.Lane(name, now)
	return &l, err
}

func (ls *lanes) read(name bridge.Lane, now Moment) (*lane, error) {
	l := &lane{changed: unchanged, timer: -1}
	var found bool
	var err error
	if l.LaneState, found, err = ls.view.Lane(name, now); err != nil {
		return nil, err
	}
	l.Name = name
	if !ls.sessions {
		l.Sessions = nil // whatever is not followed is not true any more
	}
	if !found {
		l.State.Sequence = *ls.floor
	}
	for i, h := range l.State.Held {
		l.State.Held[i].Deadline = now.bound(h.Deadline, ls.limits.Hold(h.Key.Phase))
	}
	return l, nil
}

// forget removes the lane from memory.
func (ls *lanes) forget(name bridge.Lane) {
	ls.cached.Remove(name)
	delete(ls.pinned, name)
}
