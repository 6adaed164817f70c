package cluster

import (
	"cmp"
	"context"
	"slices"

	"livebridge/bridge"
	"livebridge/bridge/store"
)

// OpenSessions implements bridge.SessionLister: it reads what the owners of all partitions have committed. The first
// time it reads the states as a whole, and then what is new.
func (c *Cluster) OpenSessions(ctx context.Context, domain string) (open []bridge.OpenSession, err error) {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	for partition := range c.reviews {
		err := c.read(ctx, partition, func(v *store.Review) error {
			some, err := v.OpenSessions(domain)
			open = append(open, some...)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(open, func(a, b bridge.OpenSession) int {
		return cmp.Or(cmp.Compare(a.Domain, b.Domain), cmp.Compare(a.App, b.App), cmp.Compare(a.Stream, b.Stream))
	})
	return open, nil
}

// Owns reports whether this replica works on a partition.
func (c *Cluster) Owns(partition int) bool { return c.Stats()[partition].State == Owner }
