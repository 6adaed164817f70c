package keyring

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"livebridge/bridge/filewatch"
	"livebridge/bridge/signature"
)

// Options configure a Keyring.
type Options struct {
	Config     signature.Config      // the limits, and the keys of kinds without a file
	Files      []File                // each of another kind
	Log        *zap.Logger           // nil: none
	Registerer prometheus.Registerer // nil: no metrics
}

// Keyring keeps the active ring up to date with its files.
type Keyring struct {
	opts           Options
	uses           signature.Uses
	ring           atomic.Pointer[signature.Ring]
	files          []*watched
	metrics        *metrics
	polling        sync.Mutex // guards what follows, and files
	firstUseLogged map[keyName]bool
}

// watched is a file and its state.
type watched struct {
	File
	source *filewatch.Source[snapshot]
	active snapshot // the content that is in use
}

// Open reads all files and makes the first ring. The error names the setting, the file and the line, and never
// contains a key. It panics if its metrics are registered already.
func Open(o Options) (*Keyring, error) {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	k := &Keyring{opts: o, firstUseLogged: make(map[keyName]bool)}
	k.opts.Config.Uses = &k.uses
	for _, f := range o.Files {
		source := filewatch.New(f.read)
		k.files = append(k.files, &watched{File: f, source: source, active: source.Last()})
	}
	cfg, ring, err := k.build()
	if err != nil {
		return nil, err
	}
	k.ring.Store(ring)
	k.metrics = newMetrics(o.Registerer, k)
	k.logChanges(nil, ring)
	k.warn(cfg)
	for _, f := range k.files {
		k.warnWorldReadable(f)
	}
	return k, nil
}

// Ring returns the active ring.
func (k *Keyring) Ring() *signature.Ring { return k.ring.Load() }

// build makes a ring from the active contents of all files.
func (k *Keyring) build() (signature.Config, *signature.Ring, error) {
	cfg := k.opts.Config
	var errs []error
	for _, f := range k.files {
		errs = append(errs, f.mergeInto(&cfg, f.active))
	}
	if err := errors.Join(errs...); err != nil {
		return cfg, nil, err
	}
	ring, err := signature.NewRing(cfg)
	return cfg, ring, err
}

// Watch polls the files until ctx ends and calls apply with each new ring, never concurrently.
func (k *Keyring) Watch(ctx context.Context, apply func(*signature.Ring)) {
	filewatch.Every(ctx, func() {
		k.poll((*filewatch.Source[snapshot]).Poll, apply)
	})
	k.logUses()
}

// Reload reads the files now instead of at the next poll.
func (k *Keyring) Reload(apply func(*signature.Ring)) {
	k.poll((*filewatch.Source[snapshot]).PollNow, apply)
}

func (k *Keyring) poll(changed func(*filewatch.Source[snapshot]) bool, apply func(*signature.Ring)) {
	k.polling.Lock()
	defer k.polling.Unlock()
	for _, f := range k.files {
		if changed(f.source) {
			k.activate(f, apply)
		}
	}
	k.logFirstUses()
}

// activate makes the new content of a file active, or logs why it cannot.
func (k *Keyring) activate(f *watched, apply func(*signature.Ring)) {
	before := f.active
	f.active = f.source.Last()
	cfg, ring, err := k.build()
	if err != nil {
		f.active = before
		k.metrics.failed(f)
		k.opts.Log.Error("key file reload failed; previous keys stay in use",
			zap.String("setting", f.Setting), zap.String("path", f.Path), zap.Error(err))
		return
	}
	k.metrics.loaded(f)
	if f.active == before {
		k.opts.Log.Info("key file restored to the keys in use",
			zap.String("setting", f.Setting), zap.String("path", f.Path))
		return
	}
	old := k.ring.Load()
	apply(ring)
	k.ring.Store(ring) // after apply: a key that the metrics show verifies callbacks already
	k.opts.Log.Info("key file reloaded", zap.String("setting", f.Setting), zap.String("path", f.Path))
	k.logChanges(old, ring)
	k.warn(cfg)
	k.warnWorldReadable(f)
}
