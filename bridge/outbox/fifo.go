package outbox

// fifo is a queue of lanes' queues.
type fifo struct {
	queues []*laneQueue
	first  int
}

func (f *fifo) empty() bool { return f.first == len(f.queues) }

func (f *fifo) push(l *laneQueue) { f.queues = append(f.queues, l) }

func (f *fifo) pop() *laneQueue {
	l := f.queues[f.first]
	f.queues[f.first] = nil
	f.first++
	if f.first == len(f.queues) {
		f.queues, f.first = f.queues[:0], 0
	}
	return l
}
