package nats

import (
	"cmp"
	"crypto/rand"
	"os"
	"regexp"

	"github.com/nats-io/nats.go/jetstream"

	"livebridge/bridge"
	"livebridge/transports/nats/lease"
)

// Join makes this process a member of the group that shares the partitions out. It may be called once.
func (r *Replicas) Join() (bridge.Membership, error) {
	l := lease.Join(lease.Options{
		ID: replicaID(), Partitions: r.count, Time: cmp.Or(r.opts.leaseTime, lease.Time), Log: r.opts.Log,
		Bucket: &lease.KeyValue{Config: lease.Config(r.opts.leaseBucket(r.group), r.opts.Replicas),
			JetStream: func() jetstream.JetStream { _, js := r.connection(); return js }},
	})
	r.leases.Store(l)
	return l, nil
}

// bucketName is what buckets may be named.
var bucketName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// notInID is what keys of a bucket may not have.
var notInID = regexp.MustCompile(`[^A-Za-z0-9_-]`)

// replicaID is the name of this process among the replicas, which no other one ever has.
func replicaID() string {
	host, _ := os.Hostname() // only for who looks into the bucket
	return notInID.ReplaceAllString(cmp.Or(host, "replica"), "-") + "-" + rand.Text()[:10]
}

// lost has the leases look whether a partition that was lost is still ours.
func (r *Replicas) lost() {
	if l := r.leases.Load(); l != nil {
		l.Lost()
	}
}

// leased reports whether a partition may be taken: who takes one without its lease fences the rightful owner.
func (r *Replicas) leased(partition int) bool {
	l := r.leases.Load()
	return l == nil || l.Holds(partition)
}
