package cluster

import (
	"cmp"
	"context"
	"slices"

	"livebridge/bridge"
	"livebridge/bridge/store"
)

// List implements bridge.ReviewQueues: it reads what the owners of all partitions have committed.
func (c *Cluster) List(q bridge.ReviewQueue, query bridge.Query) (entries []bridge.Entry, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	for partition := range c.reviews {
		some, err := c.list(ctx, partition, q, &query)
		if err != nil {
			return nil, err
		}
		entries = append(entries, some...)
	}
	slices.SortFunc(entries, func(a, b bridge.Entry) int { return cmp.Compare(a.Number, b.Number) })
	return entries[:min(query.Size(), len(entries))], nil
}

// list returns the entries of one partition that a query asks for.
func (c *Cluster) list(ctx context.Context, partition int, q bridge.ReviewQueue, query *bridge.Query) (
	entries []bridge.Entry, err error,
) {
	err = c.read(ctx, partition, func(v *store.Review) error {
		kept, err := v.Entries(q, 0)
		for i := range kept {
			kept[i].Number = c.join(partition, kept[i].Number)
			if e := kept[i].Describe(q, query.Raw); e.Number > query.After && query.Matches(&e) {
				entries = append(entries, e)
			}
		}
		return err
	})
	return entries, err
}
