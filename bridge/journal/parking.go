package journal

import (
	"container/heap"
	"time"
)

// parking holds the lines that wait for another try, the next one first.
type parking []*line

// due takes out a line whose time has come, or returns nil.
func (p *parking) due(now time.Time) *line {
	if len(*p) == 0 || (*p)[0].until.After(now) {
		return nil
	}
	return heap.Pop(p).(*line)
}

func (p parking) Len() int           { return len(p) }
func (p parking) Less(i, j int) bool { return p[i].until.Before(p[j].until) }

func (p parking) Swap(i, j int) {
	p[i], p[j] = p[j], p[i]
	p[i].place, p[j].place = i, j
}

// Push is for container/heap.
func (p *parking) Push(x any) {
	l := x.(*line)
	l.place = len(*p)
	*p = append(*p, l)
}

// Pop is for container/heap.
func (p *parking) Pop() any {
	last := len(*p) - 1
	l := (*p)[last]
	(*p)[last], *p = nil, (*p)[:last]
	l.place = -1
	return l
}
