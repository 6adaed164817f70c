package journal

import (
	"errors"

	"github.com/cockroachdb/pebble/v2"
	"github.com/hashicorp/golang-lru/v2/simplelru"

	"livebridge/bridge"
	"livebridge/bridge/sequencer"
)

// lanes is the memory of lanes over table l. It changes no decision: what it does not have is read. Lanes that hold
// something stay, since their deadlines point at them; so do those of the commit under way.
type lanes struct {
	db     *pebble.DB
	meta   *meta
	limits sequencer.Limits
	cached *simplelru.LRU[bridge.Lane, *lane]
	pinned map[bridge.Lane]*lane // evicted while they hold something or are not written yet
}

func newLanes(db *pebble.DB, m *meta, opts *Options) (*lanes, error) {
	ls := &lanes{db: db, meta: m, limits: opts.Limits, pinned: make(map[bridge.Lane]*lane)}
	var err error
	ls.cached, err = simplelru.NewLRU(opts.LanesCached, ls.evicted)
	return ls, err
}

func (ls *lanes) evicted(name bridge.Lane, l *lane) {
	if l.dirty || len(l.state.Held) > 0 {
		ls.pinned[name] = l
	}
}

// unpin lets go of the evicted lanes that need not stay. To be called when a commit has been applied.
func (ls *lanes) unpin() {
	for name, l := range ls.pinned {
		if !l.dirty && len(l.state.Held) == 0 {
			delete(ls.pinned, name)
		}
	}
}

// get returns the lane, from memory, from the store, or a new one.
func (ls *lanes) get(name bridge.Lane, now clock) (*lane, error) {
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

func (ls *lanes) read(name bridge.Lane, now clock) (*lane, error) {
	var key [128]byte
	l := &lane{name: name, timer: -1}
	value, closer, err := ls.db.Get(laneKey(key[:0], name))
	if errors.Is(err, pebble.ErrNotFound) {
		l.state.Sequence = ls.meta.floor
		return l, nil
	}
	if err != nil {
		return nil, err
	}
	if err := l.readState(value, now, ls.limits); err != nil {
		return nil, err
	}
	return l, closer.Close()
}

// forget removes the lane from memory.
func (ls *lanes) forget(name bridge.Lane) {
	ls.cached.Remove(name)
	delete(ls.pinned, name)
}
