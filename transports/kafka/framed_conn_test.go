package kafka

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"livebridge/transports/transporttest"
)

// answering is a server that answers whatever it is asked with the same bytes.
func answering(t *testing.T, answer string) (address string) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				if _, err := conn.Read(make([]byte, 4096)); err == nil {
					_, _ = io.WriteString(conn, answer)
				}
			}()
		}
	}()
	return l.Addr().String()
}

// TestNoKafkaAnswers: whoever else listens at KAFKA_BROKERS, events wait, and the log names the setting to check.
func TestNoKafkaAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ answer, setting string }{
		"a length below zero":     {"\xff\x40\x42\x43" + strings.Repeat("x", 5000), "KAFKA_BROKERS"},
		"the least length":        {"\x80\x00\x00\x00" + strings.Repeat("\x00", 5000), "KAFKA_BROKERS"},
		"HTTP":                    {"HTTP/1.1 400 Bad Request\r\n\r\n", "KAFKA_BROKERS"},
		"SSH":                     {"SSH-2.0-OpenSSH_9.6\r\n", "KAFKA_BROKERS"},
		"a server that wants TLS": {"\x15\x03\x03\x00\x02\x02\x46", "KAFKA_TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, logs := observed()
			o.Brokers = answering(t, c.answer)
			p := dial(t, o)
			if err := transporttest.Try(t, p, transporttest.Events(1, 1, 1)[0]); err == nil {
				t.Error("the event was published")
			}
			line := logs.All()[0]
			if setting, _ := line.ContextMap()["setting"].(string); !strings.Contains(setting, "LIVEBRIDGE_"+c.setting) {
				t.Errorf("the log has %v", logs.All())
			}
		})
	}
}

// TestFramed reads answers in pieces of every size: what is well formed comes through, what is not ends the connection.
func TestFramed(t *testing.T) {
	t.Parallel()
	const valid = "\x00\x00\x00\x05hello\x00\x00\x00\x00\x00\x00\x00\x02hi"
	for size := 1; size <= len(valid)+4; size++ {
		for _, end := range []string{"", "\xff\xff\xff\xff", "\x10\x00\x00\x01"} {
			f := &framedConn{Conn: pieces{from: bytes.NewReader([]byte(valid + end)), size: size}}
			got, err := io.ReadAll(f)
			if wrong := end != ""; errors.Is(err, errNotKafka) != wrong || !wrong && (err != nil || string(got) != valid) {
				t.Errorf("pieces of %d, then %q: %q, %v", size, end, got, err)
			}
		}
	}
}

// pieces is a connection that is read in pieces of a size.
type pieces struct {
	net.Conn
	from io.Reader
	size int
}

func (p pieces) Read(b []byte) (int, error) { return p.from.Read(b[:min(p.size, len(b))]) }
