package nats

import (
	"errors"

	"livebridge/bridge"
)

// Join makes this process a member of the group that shares the partitions out. It may be called once.
func (r *Replicas) Join() (bridge.Membership, error) {
	return nil, errors.New("there is no membership yet")
}
