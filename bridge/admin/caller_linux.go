package admin

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// callerOf returns the process that has connected, as the kernel knows it (SO_PEERCRED).
func callerOf(conn net.Conn) (c caller) {
	s, ok := conn.(syscall.Conn)
	if !ok {
		return c
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return c
	}
	_ = raw.Control(func(fd uintptr) { // fails for a closed connection only; then the caller stays unknown
		if cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
			c = caller{known: true, uid: int(cred.Uid), pid: int(cred.Pid)}
		}
	})
	return c
}
