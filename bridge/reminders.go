package bridge

import (
	"sync"
	"time"
)

// ReminderInterval is how often a persistent failure is logged.
const ReminderInterval = time.Minute

// Reminders decides which reports of a recurring failure are logged: of each kind the first, and then one every
// ReminderInterval, however often they come and however often things seem to work in between. Its zero value is ready
// to use.
type Reminders struct {
	mu     sync.Mutex
	kinds  map[string]*reminder
	logged bool // a report was logged since the last Recovered
}

type reminder struct {
	last       time.Time
	suppressed int
}

// Due records a report, and returns whether to log it and how many of its kind were suppressed before. Kinds must be
// few: a text that contains a port, say, is not one.
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

// Recovered records that the failure has ended, and reports whether to log that: whether a failure was logged.
func (r *Reminders) Recovered() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	logged := r.logged
	r.logged = false
	return logged
}
