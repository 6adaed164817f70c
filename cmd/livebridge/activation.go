package main

import (
	"errors"
	"fmt"
	"net"

	"github.com/coreos/go-systemd/v22/activation"
)

// adminSocket is the FileDescriptorName of a systemd socket for the admin port. Any other name is for callbacks.
const adminSocket = "admin"

// sockets are those that systemd, or another supervisor with the same protocol (LISTEN_FDS), has opened for the
// service: they stay open between two processes, so that no connection is refused meanwhile. nil: not given.
type sockets struct{ callbacks, admin net.Listener }

// inheritedSockets takes over the sockets that the service was started with. There are none in most places.
func inheritedSockets() (s sockets, err error) {
	byName, err := activation.ListenersWithNames()
	if err != nil {
		return s, fmt.Errorf("sockets passed by the supervisor: %w", err)
	}
	for name, listeners := range byName {
		for _, l := range listeners {
			if err = s.add(name, l); err != nil {
				return s, err
			}
		}
	}
	return s, nil
}

func (s *sockets) add(name string, l net.Listener) error {
	to := &s.callbacks
	if name == adminSocket {
		to = &s.admin
	}
	if *to != nil {
		return errors.New("more sockets are passed by the supervisor than one for callbacks and one with " +
			"FileDescriptorName=admin")
	}
	*to = l
	return nil
}
