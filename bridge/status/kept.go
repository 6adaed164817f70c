package status

import (
	"errors"
	"time"
)

const (
	// patience bounds the wait for something to be read, such as from a disk that does not answer.
	patience = 2 * time.Second
	// costFactor is after how many times what it took it is read again.
	costFactor = 20
)

var errSlow = errors.New("no answer yet")

// kept is what was read last, and when it is read again. It is not safe for concurrent use.
type kept[T any] struct {
	value   T
	err     error
	until   time.Time
	pending chan answer[T] // of a read that goes on; nil: none does
	begun   time.Time
}

// answer is the result of a read.
type answer[T any] struct {
	value T
	err   error
}

// get reads again if it is time to, and returns the error of that; where it takes too long, the value of the last time
// and errSlow. One read goes on at a time.
func (k *kept[T]) get(now func() time.Time, read func() (T, error)) (T, error) {
	if k.pending == nil {
		if now().Before(k.until) {
			return k.value, k.err
		}
		pending := make(chan answer[T], 1)
		k.pending, k.begun = pending, now()
		go func() {
			value, err := read()
			pending <- answer[T]{value, err}
		}()
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case a := <-k.pending:
		k.value, k.err, k.pending = a.value, a.err, nil
		k.until = now().Add(now().Sub(k.begun) * costFactor)
		return k.value, k.err
	case <-timer.C:
		return k.value, errSlow
	}
}
