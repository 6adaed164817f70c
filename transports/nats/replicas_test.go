package nats

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap/zaptest"

	"livebridge/bridge"
	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"
)

func TestReplicasContract(t *testing.T) {
	t.Parallel()
	transporttest.RunReplicas(t, replicasContract(natstest.Start(t, &server.Options{}).URL, 1))
}

// TestReplicasContractCluster runs on three servers.
func TestReplicasContractCluster(t *testing.T) {
	t.Parallel()
	transporttest.RunReplicas(t, replicasContract(urlsOf(startCluster(t)), 3))
}

func urlsOf(servers []*server.Server) string {
	var urls []string
	for _, s := range servers {
		urls = append(urls, s.ClientURL())
	}
	return strings.Join(urls, ",")
}

// replicasContract is what the suite of replicas has to know about JetStream.
func replicasContract(url string, replicas int) transporttest.ReplicasHarness {
	var intakes atomic.Int64
	return transporttest.ReplicasHarness{TooLarge: 1<<20 + 1, Open: func(t *testing.T, n int) *transporttest.Intake {
		o := replicaOptions(t, url, fmt.Sprint("R", intakes.Add(1)))
		o.Partitions, o.Replicas, o.AckTimeout = n, replicas, patience
		return &transporttest.Intake{
			Replica: func(t *testing.T) *transporttest.Replica { return replica(t, o) },
			Events:  func(t *testing.T, partition int) []transporttest.Record { return sourcedOf(t, o, partition) },
		}
	}}
}

// patience is how long a server that is there may take to answer. An owner whose commit has no answer in time gives
// its partition up; in the suite no server goes away, and one may be slow.
const patience = 20 * time.Second

// replicaOptions are of streams of their own.
func replicaOptions(t *testing.T, url, stream string) Options {
	o := testOptions()
	o.URL, o.Stream, o.SubjectPrefix, o.Quarantine = url, stream, "live."+stream, ""
	o.Partitions, o.Log = 1, zaptest.NewLogger(t)
	return o
}

var (
	_ bridge.BatchLimiter    = (*Replicas)(nil)
	_ bridge.RestoreProgress = (*Replicas)(nil)
)

// replica opens another replica.
func replica(t *testing.T, o Options) *transporttest.Replica {
	r := openReplicas(t, o)
	return &transporttest.Replica{Intake: r, Partitions: r, Join: func(t *testing.T) bridge.Membership {
		m, err := r.Join()
		if err != nil {
			t.Fatal(err)
		}
		return m
	}}
}

func openReplicas(t *testing.T, o Options) *Replicas {
	t.Helper()
	return openGroup(t, o, "group")
}

func openGroup(t *testing.T, o Options, group string) *Replicas {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := OpenReplicas(ctx, o, group)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close(context.Background()) })
	return r
}

// sourcedOf returns the events of the output that were committed to a partition, once the output has all of them.
func sourcedOf(t *testing.T, o Options, partition int) (out []transporttest.Record) {
	t.Helper()
	js := natstest.Connect(t, o.URL)
	state := natstest.Led(t, js, o.Stream+stateSuffix)
	last, err := state.GetLastMsgForSubject(t.Context(), fmt.Sprint(o.Stream, stateSuffix, ".*.e.>"))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil // no event was committed
	}
	if err != nil {
		t.Fatal(err)
	}
	var all []jetstream.Msg
	transporttest.Eventually(t, "the output has all events", func() bool {
		all = natstest.Messages(t, js, o.Stream)
		return len(all) > 0 && sequenceOf(t, all[len(all)-1]) >= last.Sequence
	})
	for _, m := range all {
		from := strings.Fields(m.Headers().Get("Nats-Stream-Source"))
		if strings.HasPrefix(from[4], fmt.Sprintf("%s%s.%d.", o.Stream, stateSuffix, partition)) {
			out = append(out, natstest.RecordOf(m.Subject(), m.Headers(), m.Data()))
		}
	}
	return out
}

// sequenceOf returns the sequence that a message of the output has in the state's stream.
func sequenceOf(t *testing.T, m jetstream.Msg) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(strings.Fields(m.Headers().Get("Nats-Stream-Source"))[1], 10, 64)
	if err != nil {
		t.Fatal(err, m.Headers())
	}
	return n
}
