package journal

import (
	"sync/atomic"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// slowCounter keeps whoever counts with it for a while.
type slowCounter struct {
	prometheus.Counter
	pause time.Duration
}

func (c slowCounter) Inc() { time.Sleep(c.pause); c.Counter.Inc() }

// stalls gives the options a wall clock at which the writer can be made to wait: the function returned has it look at
// the clock, and returns, once it waits there, what lets it go on. To be used in a synctest bubble.
func stalls(o *Options) (stall func(*Journal) (release func())) {
	var gate atomic.Pointer[chan struct{}]
	wall := o.Wall
	o.Wall = func() time.Time {
		if g := gate.Load(); g != nil {
			<-*g
		}
		return wall()
	}
	return func(j *Journal) func() {
		closed := make(chan struct{})
		gate.Store(&closed)
		j.queue.wakeWriter()
		synctest.Wait()
		return func() {
			gate.Store(nil)
			close(closed)
		}
	}
}
