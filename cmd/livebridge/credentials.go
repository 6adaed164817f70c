package main

import (
	"context"
	"crypto/sha256"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"go.uber.org/zap"

	"livebridge/bridge/filewatch"
)

// credentials watches the broker's files and makes the publisher reload them.
type credentials struct {
	polling    sync.Mutex // guards what follows
	source     *filewatch.Source[digest]
	reload     func() error // of the publisher
	log        *zap.Logger
	successful prometheus.Gauge
	lastError  string // of the last reload; empty: none
	loaded     digest // of the last successful reload
}

// digest identifies the content of all files.
type digest [sha256.Size]byte

// newCredentials must be called before the publisher reads the files, so that no change is missed. It panics if its
// metric is registered already.
func newCredentials(files []string, log *zap.Logger, r prometheus.Registerer) *credentials {
	files = slices.DeleteFunc(slices.Clone(files), func(path string) bool { return path == "" })
	c := &credentials{log: log, source: filewatch.New(func() digest { return digestOf(files) }),
		successful: promauto.With(r).NewGauge(prometheus.GaugeOpts{
			Name: "livebridge_broker_credentials_last_reload_successful",
			Help: "1 if the last reload of the broker's credentials succeeded, " +
				"0 if a file cannot be used and its previous content stays in use."})}
	c.successful.Set(1)
	c.loaded = c.source.Last()
	return c
}

func digestOf(files []string) digest {
	h := sha256.New()
	for _, path := range files {
		content, err := filewatch.Read(path)
		if err != nil {
			content = []byte(err.Error())
		}
		each := sha256.Sum256(content)
		h.Write(each[:])
	}
	return digest(h.Sum(nil))
}

// Watch follows the files until ctx ends.
func (c *credentials) Watch(ctx context.Context) {
	filewatch.Every(ctx, func() { c.poll((*filewatch.Source[digest]).Poll) })
}

// Reload reads the files now instead of at the next poll.
func (c *credentials) Reload() { c.poll((*filewatch.Source[digest]).PollNow) }

// poll reloads the files when they have changed, and retries as long as that fails.
func (c *credentials) poll(look func(*filewatch.Source[digest]) bool) {
	c.polling.Lock()
	defer c.polling.Unlock()
	changed := look(c.source)
	if !changed && c.lastError == "" {
		return
	}
	if err := c.reload(); err != nil {
		if changed || c.lastError != err.Error() {
			c.log.Error("broker credentials reload failed; previous credentials stay in use", zap.Error(err))
		}
		c.lastError = err.Error()
		c.successful.Set(0)
		return
	}
	if c.lastError != "" || c.loaded != c.source.Last() {
		c.log.Info("broker credentials reloaded")
	}
	c.lastError, c.loaded = "", c.source.Last()
	c.successful.Set(1)
}
