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

// modelSlice is how long work has a core before other work has its turn, as in the Go runtime.
const modelSlice = 10 * time.Millisecond

// modelMachine has cores, which the processes on it get in turns as long as they have work.
type modelMachine struct {
	clock     *modelClock
	cores     int
	taken     int
	processes []*modelProcess
	turn      int
}

// modelProcess is work of one process, which waits in line.
type modelProcess struct {
	on   *modelMachine
	line []modelWork
	busy time.Duration // of all cores together, by now
}

// modelWork is what one core does, and what is done after it.
type modelWork struct {
	left time.Duration
	done func()
}

// begin starts a process.
func (m *modelMachine) begin() *modelProcess {
	p := &modelProcess{on: m}
	m.processes = append(m.processes, p)
	return p
}

// work calls done once a core has worked for so long.
func (p *modelProcess) work(need time.Duration, done func()) {
	p.line = append(p.line, modelWork{need, done})
	p.on.serve()
}

// serve gives cores to the processes with work, in turns, and there to the first in line.
func (m *modelMachine) serve() {
	for idle := 0; m.taken < m.cores && idle < len(m.processes); {
		p := m.processes[m.turn%len(m.processes)]
		if m.turn++; len(p.line) == 0 {
			idle++
			continue
		}
		idle = 0
		w := p.line[0]
		p.line = p.line[1:]
		slice := min(w.left, modelSlice)
		m.taken++
		m.clock.after(slice, func() { p.worked(w, slice) })
	}
}

// worked ends a turn.
func (p *modelProcess) worked(w modelWork, slice time.Duration) {
	p.on.taken--
	p.busy += slice
	if w.left -= slice; w.left > 0 {
		p.line = append(p.line, w)
	} else {
		w.done()
	}
	p.on.serve()
}

// used is the part of the time of the machine's cores that its processes have worked.
func (m *modelMachine) used() float64 {
	busy := time.Duration(0)
	for _, p := range m.processes {
		busy += p.busy
	}
	return busy.Seconds() / (float64(m.cores) * m.clock.now.Seconds())
}
