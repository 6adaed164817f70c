package main

import (
	"context"
	"errors"

	"livebridge/bridge"
	"livebridge/bridge/cluster"
)

// errNoOutbox says what takes the place of the outbox.
var errNoOutbox = errors.New("there is no outbox with INTAKE=broker, where what a callback emits is committed " +
	"at once; consumers read it again from the topic")

// review returns what operators' commands go to.
func (r *replica) review() (*cluster.Cluster, error) {
	if o := r.opened.Load(); o != nil {
		return o.cluster, nil
	}
	return nil, bridge.ErrBrokerAway
}

// List implements bridge.ReviewQueues, of all partitions.
func (r *replica) List(q bridge.ReviewQueue, query bridge.Query) ([]bridge.Entry, error) {
	c, err := r.review()
	if err != nil {
		return nil, err
	}
	return c.List(q, query)
}

// Release implements bridge.ReviewQueues, on whichever replica it is called.
func (r *replica) Release(q bridge.ReviewQueue, numbers []uint64) ([]bridge.Outcome, error) {
	c, err := r.review()
	if err != nil {
		return nil, err
	}
	return c.Release(q, numbers)
}

// Purge implements bridge.ReviewQueues, likewise.
func (r *replica) Purge(q bridge.ReviewQueue, numbers []uint64) ([]bridge.Outcome, error) {
	c, err := r.review()
	if err != nil {
		return nil, err
	}
	return c.Purge(q, numbers)
}

// Replay implements bridge.JournalAdmin.
func (*replica) Replay(bridge.ReplayQuery) (bridge.ReplayResult, error) {
	return bridge.ReplayResult{}, errNoOutbox
}

// Deliveries implements bridge.JournalAdmin: what a command has emitted was committed with its outcome.
func (*replica) Deliveries(emissions []bridge.Emission) ([]bridge.Delivery, error) {
	all := make([]bridge.Delivery, len(emissions))
	for i := range all {
		all[i].State = bridge.DeliveryPublished
	}
	return all, nil
}

// OpenSessions implements bridge.SessionLister, of all partitions.
func (r *replica) OpenSessions(ctx context.Context, domain string) ([]bridge.OpenSession, error) {
	c, err := r.review()
	if err != nil {
		return nil, err
	}
	return c.OpenSessions(ctx, domain)
}

// leads implements engine: of all replicas the owner of the first partition does what only one should.
func (r *replica) leads() bool {
	c, err := r.review()
	return err == nil && c.Owns(0)
}

// Backlog is what waits in the queue for the broker.
func (r *replica) Backlog() (b bridge.Backlog) {
	if r.queue != nil {
		b.Events, b.JournalBytes, b.FreeBytes = r.fallback.Total(), r.queue.Bytes(), r.queue.FreeBytes()
	}
	return b
}

// History implements bridge.Historian.
func (*replica) History(bridge.HistoryQuery) (bridge.HistoryPage, error) {
	return bridge.HistoryPage{}, errNoHistory
}

// Unpublished implements bridge.Historian.
func (*replica) Unpublished(bridge.HistoryQuery) (bridge.HistoryPage, error) {
	return bridge.HistoryPage{}, errNoHistory
}

// errNoHistory says what takes the place of the history.
var errNoHistory = errors.New("published events are not kept with INTAKE=broker; " +
	"consumers read them again from the topic")
