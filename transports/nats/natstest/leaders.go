package natstest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"livebridge/transports/transporttest"
)

// Current reports whether so many replicas of a stream have everything.
func Current(t testing.TB, js jetstream.JetStream, stream string, replicas int) bool {
	t.Helper()
	in := Led(t, js, stream).CachedInfo().Cluster
	current := 1
	for _, r := range in.Replicas {
		if r.Current && !r.Offline && r.Lag == 0 {
			current++
		}
	}
	return current == replicas
}

// AwaitCurrent waits until they have.
func AwaitCurrent(t testing.TB, js jetstream.JetStream, stream string, replicas int) {
	t.Helper()
	transporttest.Eventually(t, "all replicas are current", func() bool { return Current(t, js, stream, replicas) })
}

// StepDown has the leader of a stream give that up, to the server of a name unless that is empty. Nothing may come of
// it.
func StepDown(t testing.TB, js jetstream.JetStream, stream, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	var to []byte
	if name != "" {
		to = fmt.Appendf(nil, `{"placement":{"preferred":%q}}`, name)
	}
	_, _ = js.Conn().RequestWithContext(ctx, "$JS.API.STREAM.LEADER.STEPDOWN."+stream, to)
}

// Lead makes the server of a name lead a stream of so many replicas, which all have everything then.
func Lead(t testing.TB, js jetstream.JetStream, stream, name string, replicas int) {
	t.Helper()
	transporttest.Eventually(t, name+" leads", func() bool {
		if Led(t, js, stream).CachedInfo().Cluster.Leader == name {
			return true
		}
		StepDown(t, js, stream, name)
		return false
	})
	AwaitCurrent(t, js, stream, replicas)
}
