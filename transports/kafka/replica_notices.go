package kafka

import (
	"livebridge/bridge"
	"livebridge/transports/kafka/partitions"
)

// prepareNotices begins to check the topic of quarantine notices, if there is one. It may have any number of
// partitions, such as those from before there were replicas; one that is created has as many as the others.
func (r *Replicas) prepareNotices() (err error) {
	if r.opts.Quarantine == "" {
		return nil
	}
	if r.notices, err = newRoute(&r.opts); err != nil {
		return err
	}
	r.notices.topics.secondary = true
	r.notices.topics.of(r.opts.Quarantine)
	return nil
}

// noticesOf returns where the notices of a partition go: they stay in the order of its commits.
func (r *Replicas) noticesOf(partition int) (partitions.Destination, error) {
	t := r.notices.topics.of(r.opts.Quarantine)
	layout := t.layout.Load()
	switch fault := t.fault.Load(); {
	case fault != nil:
		return partitions.Destination{}, *fault
	case layout == nil:
		return partitions.Destination{}, bridge.Unavailable("topic %s: it was not found yet", t.Name)
	}
	return partitions.Destination{Topic: t.Name, Partition: partition % len(layout.partitions), Limit: t.Limit.Load()}, nil
}
