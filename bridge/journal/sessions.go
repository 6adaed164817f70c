package journal

import (
	"bytes"
	"context"

	"livebridge/bridge"
)

// OpenSessions implements bridge.SessionLister.
func (j *Journal) OpenSessions(ctx context.Context, domain string) (open []bridge.OpenSession, err error) {
	first := append([]byte{tableLane}, byte(bridge.KindStream))
	if domain != "" {
		first = append(bridge.AppendEscaped(first, domain, bridge.KeepDot), '/')
	}
	err = j.read(func() error {
		return eachFrom(j.db, first, func(key, value []byte) (bool, error) {
			if !bytes.HasPrefix(key, first) || ctx.Err() != nil {
				return false, ctx.Err()
			}
			r := reader{rest: value}
			r.varint() // when it was last written
			last := readKey(&r)
			if r.err != nil || last.Phase != bridge.PhasePublish {
				return true, r.err
			}
			name, err := laneOf(key)
			open = append(open, bridge.OpenSession{Domain: name.Domain, App: name.App, Stream: name.Stream, Session: last.Session})
			return true, err
		})
	})
	return open, err
}
