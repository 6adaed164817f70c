package signature

import (
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"sync/atomic"
	"time"

	"livebridge/bridge"
)

// keyIDBytes is how much of a key's hash names it: enough to tell keys apart, and nothing to find one by.
const keyIDBytes = 4

// KeyID names a key where the key itself must not be seen: the first 8 hex digits of its SHA-256.
func KeyID(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:keyIDBytes])
}

// KeyUse tells how much a key of a kind was used, so that one that is not used any more can be retired.
type KeyUse struct {
	Kind  bridge.Kind
	ID    string        // see KeyID
	Count uint64        // callbacks that it made believed; neither expired nor refused ones
	Last  bridge.Millis // when it last did; 0: never
}

// Uses remembers, from one Ring to the next, what the keys were used for. The zero value is ready, and it may be used
// by any number of goroutines.
type Uses struct {
	mu  sync.Mutex
	all map[keyName]*use
}

// keyName tells keys apart: the same text under two kinds is two keys.
type keyName struct {
	kind bridge.Kind
	id   string
}

// use is the count of one key. Counting takes no lock.
type use struct {
	count atomic.Uint64
	last  atomic.Int64 // bridge.Millis
}

func (u *use) record(now time.Time) {
	u.count.Add(1)
	// A store that says nothing new would only take the memory away from the other processors.
	if at := now.UnixMilli(); at > u.last.Load() {
		u.last.Store(at)
	}
}

// of returns the count of a key, the same one for every ring.
func (u *Uses) of(n keyName) *use {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.all == nil {
		u.all = make(map[keyName]*use)
	}
	if u.all[n] == nil {
		u.all[n] = new(use)
	}
	return u.all[n]
}
