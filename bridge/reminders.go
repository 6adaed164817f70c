package bridge

import (
	"sync"
	"time"
)

// ReminderInterval is how often a failure that lasts is logged.
const ReminderInterval = time.Minute

// Reminders decides which reports of a failure that repeats are logged: of each kind the first, and then one every
// ReminderInterval, however fast they come and however often things seem to work in between. Its zero value is ready for
// use.
type Reminders struct {
	mu     sync.Mutex
	kinds  map[string]*reminder
	logged bool // something since the last Recovered
}

type reminder struct {
	last       time.Time
	suppressed int
}

// Due notes a report, and says whether to log it and how many of its kind were left out before. The kinds must be few:
// a text that holds a port, say, is none.
func (r *Reminders) Due(kind string, now time.Time) (suppressed int, due bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	k := r.kinds[kind]
	if k == nil {
		k = &reminder{last: now.Add(-ReminderInterval)}
		if r.kinds == nil {
			r.kinds = make(map[string]*reminder)
		}
		r.kinds[kind] = k
	}
	if now.Sub(k.last) < ReminderInterval {
		k.suppressed++
		return 0, false
	}
	suppressed, k.suppressed, k.last = k.suppressed, 0, now
	r.logged = true
	return suppressed, true
}

// Recovered notes that it works again, and says whether that is to be logged: a failure was.
func (r *Reminders) Recovered() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	logged := r.logged
	r.logged = false
	return logged
}
