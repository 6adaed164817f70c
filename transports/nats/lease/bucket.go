package lease

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Entry is a key of the bucket. An empty holder is nobody, and one without a key tells the end of what was there when
// the watch began.
type Entry struct {
	Key, Holder string
	Revision    uint64        // 0: there is no such key
	Age         time.Duration // how old it was when the watch began, by the server's clock; 0: it is newer
}

// ErrConflict says that a key has another revision than the one to be replaced.
var ErrConflict = errors.New("the key was written by another replica")

// Bucket is what leases need of a key-value bucket.
type Bucket interface {
	// Watch finds the bucket, or creates it, and tells the keys that are there and then every change, until ctx ends or
	// it cannot go on; then it closes the channel. Made is when the bucket was created. It waits as long as patience
	// says for that to begin.
	Watch(ctx context.Context, patience time.Duration) (made time.Time, entries <-chan Entry, err error)
	// Put writes a key that has the revision, and returns the new one, or ErrConflict.
	Put(ctx context.Context, e Entry) (revision uint64, err error)
	// Get reads a key.
	Get(ctx context.Context, key string) (Entry, error)
}

// KeyValue is a Bucket at the servers.
type KeyValue struct {
	JetStream func() jetstream.JetStream // the current one; nil while there is none
	Config    jetstream.KeyValueConfig   // with which the bucket is created

	kv   atomic.Pointer[jetstream.KeyValue] // as it was opened last; nil: not yet
	gone time.Time                          // since when it is missing; zero: it is not, or never was there
}

// open finds or creates the bucket.
func (k *KeyValue) open(ctx context.Context) (jetstream.KeyValue, *jetstream.StreamInfo, error) {
	js := k.JetStream()
	if js == nil {
		return nil, nil, nats.ErrConnectionClosed
	}
	kv, err := js.KeyValue(ctx, k.Config.Bucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		if kv, err = nil, k.rest(time.Now()); err == nil {
			kv, err = js.CreateKeyValue(ctx, k.Config)
		}
	}
	if err != nil {
		return nil, nil, err
	}
	k.gone = time.Time{}
	status, err := kv.Status(ctx)
	if err != nil {
		return nil, nil, err
	}
	found, is := status.(*jetstream.KeyValueBucketStatus)
	if !is {
		return nil, nil, fmt.Errorf("the client tells nothing of the bucket's stream: %T", status)
	}
	return kv, found.StreamInfo(), nil
}

// errGone gives a server time to end what a deleted bucket had running: nats-server 2.15 may otherwise leave one that
// takes messages and never acknowledges them.
var errGone = errors.New("it was deleted, and is created again in a moment")

const restGone = time.Second

// rest returns errGone unless the bucket, which is missing, may be created now.
func (k *KeyValue) rest(now time.Time) error {
	if k.kv.Load() == nil {
		return nil
	}
	if k.gone.IsZero() {
		k.gone = now
	}
	if now.Sub(k.gone) < restGone {
		return errGone
	}
	return nil
}

// Watch implements Bucket.
func (k *KeyValue) Watch(ctx context.Context, patience time.Duration) (time.Time, <-chan Entry, error) {
	opening, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	kv, status, err := k.open(opening)
	if err != nil {
		return time.Time{}, nil, fmt.Errorf("bucket %s: %w", k.Config.Bucket, err)
	}
	watching, stop := context.WithCancel(ctx)
	late := time.AfterFunc(patience, stop)
	watcher, err := kv.WatchAll(watching)
	if err == nil && !late.Stop() {
		err = context.DeadlineExceeded
	}
	if err != nil {
		stop()
		return time.Time{}, nil, fmt.Errorf("watch bucket %s: %w", k.Config.Bucket, err)
	}
	k.kv.Store(&kv)
	entries := make(chan Entry)
	go func() { defer stop(); tell(ctx, watcher, status.TimeStamp, entries) }()
	return status.Created, entries, nil
}

// tell hands a watcher's updates over until ctx or the watcher ends.
func tell(ctx context.Context, w jetstream.KeyWatcher, begun time.Time, entries chan<- Entry) {
	defer close(entries)
	for update := range w.Updates() { // to its end, or it would wait for us for ever
		var e Entry
		if update != nil {
			e = entryOf(update)
			e.Age = max(0, begun.Sub(update.Created()))
		}
		select {
		case entries <- e:
		case <-ctx.Done():
		}
	}
}

func entryOf(update jetstream.KeyValueEntry) Entry {
	return Entry{Key: update.Key(), Holder: string(update.Value()), Revision: update.Revision()}
}

// bucket is the one that was opened last.
func (k *KeyValue) bucket() (jetstream.KeyValue, error) {
	if kv := k.kv.Load(); kv != nil {
		return *kv, nil
	}
	return nil, jetstream.ErrBucketNotFound
}

// Put implements Bucket.
func (k *KeyValue) Put(ctx context.Context, e Entry) (uint64, error) {
	kv, err := k.bucket()
	if err != nil {
		return 0, err
	}
	revision, err := kv.Update(ctx, e.Key, []byte(e.Holder), e.Revision)
	if errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
		return 0, ErrConflict
	}
	return revision, err
}

// Get implements Bucket.
func (k *KeyValue) Get(ctx context.Context, key string) (Entry, error) {
	kv, err := k.bucket()
	if err != nil {
		return Entry{}, err
	}
	found, err := kv.Get(ctx, key)
	switch {
	case errors.Is(err, jetstream.ErrKeyDeleted):
		return Entry{Key: key, Revision: found.Revision()}, nil
	case errors.Is(err, jetstream.ErrKeyNotFound):
		return Entry{Key: key}, nil
	case err != nil:
		return Entry{}, err
	}
	return entryOf(found), nil
}
