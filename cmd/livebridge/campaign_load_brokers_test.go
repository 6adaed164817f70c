//go:build brokers

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	campaignRooms = 24
	campaignPause = 150 * time.Millisecond // between the callbacks of a room's writer
	apart         = 4                      // pushes that the ends of a room may lie behind its starts
	repeated      = 10                     // one of so many callbacks comes once more although it was answered 200
)

// campaignLoad is writers that send callbacks to any of the replicas. A callback that is not answered 200 is sent
// again, to any of them, until it is, and some of those that were are sent once more all the same.
type campaignLoad struct {
	p      *playedProvider
	urls   []atomic.Pointer[string]
	client *http.Client
	failed atomic.Bool // the test: nothing is sent again
	cancel context.CancelFunc
	work   sync.WaitGroup
}

// startCampaignLoad starts two writers for each room: one sends the starts of its pushes and the other one their ends,
// so that they come in any order.
func startCampaignLoad(t *testing.T, urls []atomic.Pointer[string]) *campaignLoad {
	ctx, cancel := context.WithCancel(context.Background())
	l := &campaignLoad{p: newProvider(), urls: urls, cancel: cancel, client: &http.Client{Timeout: 5 * time.Second}}
	t.Cleanup(func() { l.failed.Store(true); l.stop() })
	for i := range campaignRooms {
		room, begun := fmt.Sprint("room", i), make(chan int, apart)
		l.work.Go(func() {
			defer close(begun)
			for n := 0; ctx.Err() == nil; n += 2 {
				begun <- n
				l.write(room, n)
			}
		})
		l.work.Go(func() {
			for n := range begun {
				l.write(room, n+1)
			}
		})
	}
	return l
}

// write sends a callback after a pause.
func (l *campaignLoad) write(room string, n int) {
	<-time.After(campaignPause/2 + rand.N(campaignPause))
	for l.send(room, n) != http.StatusOK && !l.failed.Load() {
		<-time.After(20 * time.Millisecond)
	}
	if rand.IntN(repeated) == 0 {
		l.send(room, n)
	}
}

// send sends a callback to any of the replicas, and returns the answer's status.
func (l *campaignLoad) send(room string, n int) int {
	return l.p.sendWith(context.Background(), l.client, *l.urls[rand.IntN(len(l.urls))].Load(), room, n)
}

// stop returns once every callback that was begun is answered 200.
func (l *campaignLoad) stop() {
	l.cancel()
	l.work.Wait()
}
