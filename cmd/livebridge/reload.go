package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// reloadOnHangup reads the watched files at once on every SIGHUP, until ctx ends.
func (a *app) reloadOnHangup(ctx context.Context) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangups:
			a.reload()
		}
	}
}

// reload reads the files of keys, certificates and credentials. Each that has changed is logged, and so is one that
// cannot be used.
func (a *app) reload() {
	a.keys.Reload(a.ingress.SetRing)
	a.credentials.Reload()
	if a.certificate != nil {
		a.certificate.Reload()
	}
	a.log.Info("files of keys, certificates and broker credentials re-read on SIGHUP")
}
