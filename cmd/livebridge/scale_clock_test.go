package main

import (
	"container/heap"
	"time"
)

// modelClock is the time of a simulation: it runs what is due, in the order of its instants, and what is due at the
// same instant in the order in which it was asked for.
type modelClock struct {
	now   time.Duration
	due   modelQueue
	asked int
}

// modelEvent is due at an instant.
type modelEvent struct {
	at     time.Duration
	number int
	do     func()
}

// after runs do once so much time has passed.
func (c *modelClock) after(wait time.Duration, do func()) {
	c.asked++
	heap.Push(&c.due, modelEvent{c.now + wait, c.asked, do})
}

// next runs what is due next, and reports whether there was anything.
func (c *modelClock) next() bool {
	if len(c.due) == 0 {
		return false
	}
	e := heap.Pop(&c.due).(modelEvent)
	c.now = e.at
	e.do()
	return true
}

// modelQueue implements heap.Interface.
type modelQueue []modelEvent

func (q modelQueue) Len() int      { return len(q) }
func (q modelQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *modelQueue) Push(e any)   { *q = append(*q, e.(modelEvent)) }

func (q modelQueue) Less(i, j int) bool {
	if q[i].at != q[j].at {
		return q[i].at < q[j].at
	}
	return q[i].number < q[j].number
}

func (q *modelQueue) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	*q = (*q)[:last]
	return e
}

// modelSlice is how long work has a core before others have their turn.
const modelSlice = time.Millisecond

// modelCores are the cores of a machine. Whoever has work for them waits in line.
type modelCores struct {
	clock *modelClock
	cores int
	taken int
	line  []modelWork
	busy  time.Duration // of all cores together, by now
}

// modelWork is what one core does, and what is done after it.
type modelWork struct {
	left time.Duration
	done func()
}

// work calls done once a core has worked for so long.
func (c *modelCores) work(need time.Duration, done func()) {
	c.line = append(c.line, modelWork{need, done})
	c.serve()
}

// serve gives cores to who is first in line.
func (c *modelCores) serve() {
	for c.taken < c.cores && len(c.line) > 0 {
		w := c.line[0]
		c.line = c.line[1:]
		slice := min(w.left, modelSlice)
		c.taken++
		c.clock.after(slice, func() { c.worked(w, slice) })
	}
}

// worked ends a turn.
func (c *modelCores) worked(w modelWork, slice time.Duration) {
	c.taken--
	c.busy += slice
	if w.left -= slice; w.left > 0 {
		c.line = append(c.line, w)
	} else {
		w.done()
	}
	c.serve()
}

// used is the part of the cores' time that they have worked.
func (c *modelCores) used() float64 {
	return c.busy.Seconds() / (float64(c.cores) * c.clock.now.Seconds())
}
