package bridge

import (
	"context"
	"time"
)

// OpenSessionKept is how long a session stays open without another event of its stream. Then it is forgotten.
const OpenSessionKept = 30 * 24 * time.Hour

// OpenSession is a push that has begun and not ended, as its lane knows it: of its events, PUBLISH was emitted last.
type OpenSession struct {
	Domain  string `json:"domain"`
	App     string `json:"app"`
	Stream  string `json:"stream"`
	Session Millis `json:"session"` // the normalised publish_timestamp
}

// SessionLister lists open sessions. Engines and the client of the control socket implement it. OpenSessions
// returns those of one domain, in lower case, or of all domains if it is empty, as of one moment: what waits in the
// lanes, since it is held, is not among them. It may be called at any time.
type SessionLister interface {
	OpenSessions(ctx context.Context, domain string) ([]OpenSession, error)
}
