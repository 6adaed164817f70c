package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// onHangup returns what receives every SIGHUP, which ends the service no longer.
func onHangup() chan os.Signal {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	return hangups
}

// reloadOn reads the watched files at once on every hangup, until ctx ends.
func (a *app) reloadOn(ctx context.Context, hangups chan os.Signal) {
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
