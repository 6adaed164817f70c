package embedded

import (
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"time"

	"livebridge/bridge"
)

// Options configure the server in this process.
type Options struct {
	StoreDir string // created with mode 0700 if absent
	Listen   string // host:port for consumers; port 0 picks a free one
	Token    string // that consumers must present; required when Listen is not loopback

	TokenFile    string                            // instead of Token
	ReadFile     func(path string) ([]byte, error) // reads it; nil: os.ReadFile
	MaxConsumers int                               // concurrent connections of consumers; 0: the server's own limit

	watch time.Duration           // how often the server is checked; 0: every second
	sync  func(path string) error // makes a file or a directory durable; nil: syncPath
}

// StoreDir returns the directory of the embedded server's store within a data directory.
func StoreDir(dataDir string) string { return filepath.Join(dataDir, "nats") }

// address returns the host and port to listen on.
func (o Options) address() (host string, port int, err error) {
	host, text, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return "", 0, settingError("NATS_EMBEDDED_LISTEN", fmt.Errorf("%w: use host:port, such as 127.0.0.1:4222", err))
	}
	port, err = strconv.Atoi(text)
	if err != nil || port < 0 || port > 65535 {
		return "", 0, settingError("NATS_EMBEDDED_LISTEN", fmt.Errorf("%q is not a port number: use 0 to 65535", text))
	}
	if ip := net.ParseIP(host); o.Token+o.TokenFile == "" && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", 0, settingError("NATS_EMBEDDED_TOKEN",
			fmt.Errorf("is empty and NATS_EMBEDDED_LISTEN %s can be reached from other machines: "+
				"set a token, or listen on 127.0.0.1", o.Listen))
	}
	return host, port, nil
}

func settingError(setting string, err error) error {
	return bridge.NewSettingError(setting, err, "")
}
