package journal

import (
	"context"

	"livebridge/bridge"
)

// OpenSessions implements bridge.SessionLister.
func (j *Journal) OpenSessions(ctx context.Context, domain string) (open []bridge.OpenSession, err error) {
	err = j.read(func() (err error) {
		open, err = j.store.OpenSessions(ctx, domain)
		return err
	})
	return open, err
}
