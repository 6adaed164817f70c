// Package lease shares the partitions of an intake out among replicas, by leases in a JetStream key-value bucket.
//
// The bucket has a key for each replica and one for each partition. A replica writes its own key, and those of its
// partitions, again and again; each write states the revision that it replaces, so that of two that want the same one
// gets it. Who has not written a key for the time of a lease has lost it. Each replica measures that with its own clock
// that does not jump: its own leases from the moment at which it sent the write, those of others from the moment at
// which it was told of the last one. No key is ever deleted: what is given up is
// overwritten by an empty value, and the bucket removes what is not written any more.
//
// All replicas know the same keys, and so find the same shares; who has more than its share gives the rest up, and who
// has less takes what is free. A lease is about liveness only. That two replicas never commit for one partition is
// ensured by the fence of bridge.Partitions.
package lease

import (
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// Time is how long a lease holds from its last renewal: how long a replica that was killed keeps its partitions. When
// the server dies that leads the bucket's replicas, nobody can renew for 5 to 8 seconds, until another was elected. A
// lease survives that: its last renewal may be a sixth of this time old by then, the request that the election
// swallowed is given up after a twelfth, and the next one comes a 48th later. 12 s - 2 s - 1 s - 0.25 s are more than 8
// s.
const Time = 12 * time.Second

// Options configure Leases. All are required.
type Options struct {
	ID         string // of this replica; no other one ever has the same. Letters, digits, - and _
	Partitions int
	Time       time.Duration // of a lease, the same for all replicas
	Bucket     Bucket
	Log        *zap.Logger
}

// renewal is how often leases are renewed.
func (o *Options) renewal() time.Duration { return o.Time / 6 }

// patience is how long an answer is waited for.
func (o *Options) patience() time.Duration { return o.Time / 12 }

// late is after how long without a renewal of ours what we know of others may be old.
func (o *Options) late() time.Duration { return 2 * o.renewal() }

// trusted is what counts at most of the age that the server says an entry has. Who lives renews it in the rest of the
// time, whatever the servers' clocks say.
func (o *Options) trusted() time.Duration { return o.Time - 2*o.renewal() }

// pause is how long to wait after an error.
func (o *Options) pause() time.Duration { return o.Time / 48 }

// settling is how long a bucket that was made anew is left alone, but for leases that are renewed in it.
func (o *Options) settling() time.Duration { return o.Time / 4 }

// retention is how long the bucket keeps what is not written any more: longer than anyone waits for it.
const retention = 10

// Config returns how the bucket of this name is created.
func Config(name string, replicas int) jetstream.KeyValueConfig {
	return jetstream.KeyValueConfig{
		Bucket: name, Replicas: replicas, TTL: retention * Time, History: 1, Storage: jetstream.FileStorage,
		Description: "which replica of livebridge works on which partition",
	}
}
