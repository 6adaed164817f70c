package outbox

import (
	"container/heap"
	"time"
)

// retryQueue holds the lanes' queues that wait for another try, the next one first.
type retryQueue []*laneQueue

// due takes out a queue whose time has come, or returns nil.
func (p *retryQueue) due(now time.Time) *laneQueue {
	if len(*p) == 0 || (*p)[0].until.After(now) {
		return nil
	}
	return heap.Pop(p).(*laneQueue)
}

func (p retryQueue) Len() int           { return len(p) }
func (p retryQueue) Less(i, j int) bool { return p[i].until.Before(p[j].until) }

func (p retryQueue) Swap(i, j int) {
	p[i], p[j] = p[j], p[i]
	p[i].place, p[j].place = i, j
}

// Push is for container/heap.
func (p *retryQueue) Push(x any) {
	l := x.(*laneQueue)
	l.place = len(*p)
	*p = append(*p, l)
}

// Pop is for container/heap.
func (p *retryQueue) Pop() any {
	last := len(*p) - 1
	l := (*p)[last]
	(*p)[last], *p = nil, (*p)[:last]
	l.place = -1
	return l
}
