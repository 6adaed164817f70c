package signature

import (
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"sync/atomic"
	"time"

	"livebridge/bridge"
)

// keyIDBytes is how much of a key's hash identifies it: enough to tell keys apart, too little to recover one.
const keyIDBytes = 4

// KeyID identifies a key without revealing it: the first 8 hex digits of its SHA-256.
func KeyID(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:keyIDBytes])
}

// KeyUse is the usage of a key, so that an operator sees when an old one can be retired.
type KeyUse struct {
	Kind  bridge.Kind
	ID    string        // see KeyID
	Count uint64        // callbacks that it verified and that were neither expired nor rejected
	Last  bridge.Millis // the last of them; 0: none
}

// Uses counts the usage of keys from one Ring to the next. The zero value is ready to use, and safe for concurrent use.
type Uses struct {
	mu  sync.Mutex
	all map[keyName]*use
}

// keyName identifies a key: the same text under two kinds is two keys.
type keyName struct {
	kind bridge.Kind
	id   string
}

// use is the usage of one key. Counting takes no lock.
type use struct {
	count atomic.Uint64
	last  atomic.Int64 // bridge.Millis
}

func (u *use) record(now time.Time) {
	u.count.Add(1)
	// A store of the same value would only invalidate the cache line of the other processors.
	if at := now.UnixMilli(); at > u.last.Load() {
		u.last.Store(at)
	}
}

// of returns the usage of a key, which all rings share.
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
