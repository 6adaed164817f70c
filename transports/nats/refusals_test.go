package nats

import (
	"crypto/tls"
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"livebridge/bridge/certificate/certificatetest"
	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"
)

// TestRefusalsAreLoggedOnce: however often the server refuses, one line says why and where to look, and one that it
// works again.
func TestRefusalsAreLoggedOnce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, setting, cause string
		prepare              func(*testing.T, *server.Options, *Options) (mend func())
	}{
		{"wrong token", "LIVEBRIDGE_NATS_TOKEN_FILE", "authorization violation", func(t *testing.T, so *server.Options,
			o *Options) func() {
			so.Authorization, o.TokenFile = "right", transporttest.File(t, "token", []byte("wrong"))
			return func() { transporttest.Overwrite(t, o.TokenFile, []byte("right")) }
		}},
		{"expired credentials", "LIVEBRIDGE_NATS_CREDS_FILE", "", func(t *testing.T, so *server.Options, o *Options) func() {
			k := newSigners(t, so)
			_, creds := k.user(time.Now().Add(-time.Hour))
			o.CredsFile = transporttest.File(t, "creds", creds)
			return func() {
				_, creds := k.user(time.Time{})
				transporttest.Overwrite(t, o.CredsFile, creds)
			}
		}},
		{"unknown authority", "LIVEBRIDGE_NATS_TLS_CA_FILE", "certificate", func(t *testing.T, so *server.Options,
			o *Options) func() {
			right, wrong := certificatetest.NewAuthority(t), certificatetest.NewAuthority(t)
			so.TLSConfig = &tls.Config{Certificates: []tls.Certificate{right.Issue(t, "server", "127.0.0.1").Certificate}}
			o.CAFile = wrong.File
			return func() { transporttest.Overwrite(t, wrong.File, natstest.Must(os.ReadFile(right.File))) }
		}},
		{"a stranger's certificate", "LIVEBRIDGE_NATS_TLS_CERT_FILE", "tls", func(t *testing.T, so *server.Options,
			o *Options) func() {
			right, wrong := certificatetest.NewAuthority(t), certificatetest.NewAuthority(t)
			so.TLSConfig = &tls.Config{Certificates: []tls.Certificate{right.Issue(t, "server", "127.0.0.1").Certificate},
				ClientCAs: right.Pool(), ClientAuth: tls.RequireAndVerifyClientCert}
			friend, stranger := right.Issue(t, "client", "client"), wrong.Issue(t, "client", "client")
			o.CAFile, o.CertFile, o.KeyFile = right.File, stranger.CertFile, stranger.KeyFile
			return func() {
				transporttest.Overwrite(t, o.KeyFile, natstest.Must(os.ReadFile(friend.KeyFile)))
				transporttest.Overwrite(t, o.CertFile, natstest.Must(os.ReadFile(friend.CertFile)))
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			so := &server.Options{}
			o, logs := watchedLog()
			mend := c.prepare(t, so, &o)
			var reads atomic.Int64
			o.ReadFile = func(path string) ([]byte, error) { reads.Add(1); return os.ReadFile(path) }
			o.URL = natstest.Start(t, so).URL
			p := natstest.Must(Dial(o))
			defer transporttest.CloseSoon(p)
			start := reads.Load()
			transporttest.Eventually(t, "five attempts have failed", func() bool { return reads.Load() >= start+5*start/2 })
			lines := logs.FilterMessageSnippet("retrying").All()
			if len(lines) != 1 || !strings.Contains(lines[0].ContextMap()["setting"].(string), c.setting) ||
				!strings.Contains(strings.ToLower(lines[0].ContextMap()["error"].(string)), c.cause) {
				t.Errorf("the log has %v", lines)
			}
			mend()
			transporttest.Eventually(t, "recovery is logged",
				func() bool { return logs.FilterMessage("broker connected").Len() == 1 })
			transporttest.Deliver(t, p, transporttest.Events(2, 1, 3))
		})
	}
}

// TestRefusalsAreSummarizedHourly counts the lines of an hour in which the client tells four times a second that it is
// refused, in both ways in which it does.
func TestRefusalsAreSummarizedHourly(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"authorization": nats.ErrAuthorization, "expired": errors.New("nats: User Authentication Expired"),
		"dial": errors.New("connection refused"),
	} {
		o, logs := watchedLog()
		l := natstest.Must(newConnector(&o))
		at := time.Unix(0, 0)
		l.now = func() time.Time { return at }
		for range 4 * 3600 {
			l.failed(err)
			at = at.Add(250 * time.Millisecond)
		}
		if n := logs.Len(); n != 60 {
			t.Errorf("%s: %d lines in an hour", name, n)
		}
	}
}
