package keyring

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"livebridge/bridge/filewatch"
	"livebridge/bridge/signature"
)

// Options are what a Keyring is made from.
type Options struct {
	Config     signature.Config      // the bounds, and the keys of kinds that have no file
	Files      []File                // each of another kind
	Log        *zap.Logger           // nil: none
	Registerer prometheus.Registerer // nil: no metrics
}

// Keyring has the ring in force.
type Keyring struct {
	opts           Options
	uses           signature.Uses
	ring           atomic.Pointer[signature.Ring]
	files          []*watched
	metrics        *metrics
	firstUseLogged map[keyName]bool // by whom a first use has been told; of the goroutine that watches
}

// watched is a file and what is known of it.
type watched struct {
	File
	source *filewatch.Source[snapshot]
	active snapshot // what is in force
}

// Open reads all files and makes the first ring. The error names the setting, the file and the line, and never holds a
// key; it is the registerer's where it has metrics of the same names.
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
	k.metrics = newMetrics(k)
	if o.Registerer != nil {
		if err := k.metrics.register(o.Registerer); err != nil {
			return nil, err
		}
	}
	k.logChanges(nil, ring)
	k.warn(cfg)
	for _, f := range k.files {
		k.warnWorldReadable(f)
	}
	return k, nil
}

// Ring returns the ring in force.
func (k *Keyring) Ring() *signature.Ring { return k.ring.Load() }

// build makes a ring of what is in force in all files.
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

// Watch looks at the files until ctx ends and calls apply with each new ring, from one goroutine.
func (k *Keyring) Watch(ctx context.Context, apply func(*signature.Ring)) {
	filewatch.Every(ctx, func() {
		for _, f := range k.files {
			if f.source.Poll() {
				k.activate(f, apply)
			}
		}
		k.logFirstUses()
	})
	k.logUses()
}

// activate puts what a file says now in force, or tells why it is not.
func (k *Keyring) activate(f *watched, apply func(*signature.Ring)) {
	before := f.active
	f.active = f.source.Last()
	cfg, ring, err := k.build()
	if err != nil {
		f.active = before
		k.metrics.failed(f)
		k.opts.Log.Error("a new file of keys cannot be used; the keys before it stay in force",
			zap.String("setting", f.Setting), zap.String("path", f.Path), zap.Error(err))
		return
	}
	k.metrics.loaded(f)
	if f.active == before {
		k.opts.Log.Info("a file of keys is again what is in force", zap.String("setting", f.Setting), zap.String("path", f.Path))
		return
	}
	old := k.ring.Swap(ring)
	apply(ring)
	k.opts.Log.Info("new keys are in force", zap.String("setting", f.Setting), zap.String("path", f.Path))
	k.logChanges(old, ring)
	k.warn(cfg)
	k.warnWorldReadable(f)
}
