package certificate

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"livebridge/bridge/filewatch"
)

// Options are what a Certificate is made from.
type Options struct {
	CertFile, KeyFile string                // PEM: the certificate with those that lead to its root, and its key
	ClientCAFile      string                // PEM: who must have signed the certificate that a client shows; empty: none is asked for
	Log               *zap.Logger           // nil: none
	Registerer        prometheus.Registerer // nil: no metrics
}

// Certificate has the settings of TLS in force.
type Certificate struct {
	opts    Options
	active  atomic.Pointer[tls.Config]
	source  *filewatch.Source[snapshot]
	expires prometheus.Gauge
	failed  prometheus.Gauge
}

// snapshot is what the files said, or why one of them could not be read.
type snapshot struct{ cert, key, clientCA, failure string }

// Open reads the files. The error names the setting of the file that is wrong, and never shows the key.
func Open(o Options) (*Certificate, error) {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	c := &Certificate{
		opts: o,
		expires: prometheus.NewGauge(prometheus.GaugeOpts{Name: "livebridge_tls_certificate_expiry_timestamp_seconds",
			Help: "Unix time at which the certificate of the port for callbacks expires."}),
		failed: prometheus.NewGauge(prometheus.GaugeOpts{Name: "livebridge_tls_files_failed",
			Help: "1 while the files of certificate and key say something that cannot be used, and what was before is in force."}),
	}
	c.source = filewatch.New(c.read)
	if err := c.apply(c.source.Last()); err != nil {
		return nil, err
	}
	if o.Registerer == nil {
		return c, nil
	}
	return c, errors.Join(o.Registerer.Register(c.expires), o.Registerer.Register(c.failed))
}

// TLS returns the settings for a server. They follow the files for as long as Watch runs.
func (c *Certificate) TLS() *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.active.Load(), nil },
	}
}

// Watch looks at the files until ctx ends.
func (c *Certificate) Watch(ctx context.Context) {
	filewatch.Every(ctx, c.poll)
}

// poll judges what the files say when they say something new.
func (c *Certificate) poll() {
	if !c.source.Poll() {
		return
	}
	if err := c.apply(c.source.Last()); err != nil {
		c.failed.Set(1)
		c.opts.Log.Error("the new certificate cannot be used; the one before it stays in force", zap.Error(err))
		return
	}
	c.failed.Set(0)
	c.opts.Log.Info("the certificate was read again", zap.String("path", c.opts.CertFile))
}

func (c *Certificate) read() snapshot {
	var r snapshot
	for _, f := range []struct {
		path string
		into *string
	}{{c.opts.CertFile, &r.cert}, {c.opts.KeyFile, &r.key}, {c.opts.ClientCAFile, &r.clientCA}} {
		if f.path == "" {
			continue
		}
		content, err := filewatch.Read(f.path)
		if err != nil {
			return snapshot{failure: err.Error()}
		}
		*f.into = string(content)
	}
	return r
}

// apply puts a reading in force.
func (c *Certificate) apply(r snapshot) error {
	if r.failure != "" {
		return fmt.Errorf("TLS_CERT_FILE, TLS_KEY_FILE or TLS_CLIENT_CA_FILE: %s", r.failure)
	}
	pair, err := tls.X509KeyPair([]byte(r.cert), []byte(r.key))
	if err != nil {
		return fmt.Errorf("TLS_CERT_FILE %s and TLS_KEY_FILE %s: %w", c.opts.CertFile, c.opts.KeyFile, err)
	}
	settings := &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2", "http/1.1"},
	}
	if c.opts.ClientCAFile != "" {
		settings.ClientCAs = x509.NewCertPool()
		if !settings.ClientCAs.AppendCertsFromPEM([]byte(r.clientCA)) {
			return fmt.Errorf("TLS_CLIENT_CA_FILE %s holds no certificate", c.opts.ClientCAFile)
		}
		settings.ClientAuth = tls.RequireAndVerifyClientCert
		settings.SessionTicketsDisabled = true // an authority that is taken away must not live on in tickets
	}
	c.active.Store(settings)
	c.expires.Set(float64(pair.Leaf.NotAfter.Unix()))
	if left := time.Until(pair.Leaf.NotAfter); left < 14*24*time.Hour {
		c.opts.Log.Warn("the certificate expires soon", zap.String("path", c.opts.CertFile), zap.Time("expires", pair.Leaf.NotAfter))
	}
	return nil
}
