package certificate

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/filewatch"
)

// Options configure a Certificate.
type Options struct {
	CertFile, KeyFile string                // PEM: the certificate chain and its key
	ClientCAFile      string                // PEM: authorities of client certificates; empty: none is requested
	Log               *zap.Logger           // nil: none
	Registerer        prometheus.Registerer // nil: no metrics
}

// Certificate keeps the active TLS settings up to date with their files.
type Certificate struct {
	opts       Options
	active     atomic.Pointer[tls.Config]
	polling    sync.Mutex // guards source
	source     *filewatch.Source[snapshot]
	expiry     prometheus.Gauge
	successful prometheus.Gauge // of the last reload
}

// snapshot is the content of the files, or why that of one setting could not be read.
type snapshot struct{ cert, key, clientCA, setting, failure string }

// Open reads the files. The error names the setting of the wrong file and never contains the key.
func Open(o Options) (*Certificate, error) {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	auto := promauto.With(o.Registerer)
	c := &Certificate{
		opts: o,
		expiry: auto.NewGauge(prometheus.GaugeOpts{Name: "livebridge_tls_certificate_expiry_timestamp_seconds",
			Help: "Unix time at which the certificate of the callback port expires."}),
		successful: auto.NewGauge(prometheus.GaugeOpts{Name: "livebridge_tls_last_reload_successful",
			Help: "1 if the last load of the TLS files succeeded; 0 while they are unusable and previous ones stay in use."}),
	}
	c.source = filewatch.New(c.read)
	if err := c.apply(c.source.Last()); err != nil {
		return nil, err
	}
	c.successful.Set(1)
	return c, nil
}

// TLS returns the settings for a server. They follow the files while Watch runs.
func (c *Certificate) TLS() *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.active.Load(), nil },
	}
}

// Leaf returns the active certificate itself, without its chain. It must not be changed.
func (c *Certificate) Leaf() *x509.Certificate { return c.active.Load().Certificates[0].Leaf }

// Watch polls the files until ctx ends.
func (c *Certificate) Watch(ctx context.Context) {
	filewatch.Every(ctx, func() { c.poll((*filewatch.Source[snapshot]).Poll) })
}

// Reload reads the files now instead of at the next poll.
func (c *Certificate) Reload() { c.poll((*filewatch.Source[snapshot]).PollNow) }

// poll applies the files if they have changed.
func (c *Certificate) poll(changed func(*filewatch.Source[snapshot]) bool) {
	c.polling.Lock()
	defer c.polling.Unlock()
	if !changed(c.source) {
		return
	}
	if err := c.apply(c.source.Last()); err != nil {
		c.successful.Set(0)
		c.opts.Log.Error("TLS reload failed; previous certificate stays in use", zap.Error(err))
		return
	}
	c.successful.Set(1)
	c.opts.Log.Info("TLS files reloaded", zap.String("path", c.opts.CertFile))
}

func (c *Certificate) read() snapshot {
	var r snapshot
	for _, f := range []struct {
		setting, path string
		into          *string
	}{
		{"TLS_CERT_FILE", c.opts.CertFile, &r.cert}, {"TLS_KEY_FILE", c.opts.KeyFile, &r.key},
		{"TLS_CLIENT_CA_FILE", c.opts.ClientCAFile, &r.clientCA},
	} {
		if f.path == "" {
			continue
		}
		content, err := filewatch.Read(f.path)
		if err != nil {
			return snapshot{setting: f.setting, failure: err.Error()}
		}
		*f.into = string(content)
	}
	return r
}

// apply makes a snapshot active.
func (c *Certificate) apply(r snapshot) error {
	if r.failure != "" {
		return bridge.NewSettingError(r.setting, errors.New(r.failure), "set a file that livebridge can read")
	}
	pair, err := tls.X509KeyPair([]byte(r.cert), []byte(r.key))
	if err != nil {
		return bridge.NewSettingError("TLS_CERT_FILE",
			fmt.Errorf("%s and TLS_KEY_FILE %s: %w", c.opts.CertFile, c.opts.KeyFile, err), "set a certificate and its key")
	}
	settings := &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2", "http/1.1"},
	}
	if c.opts.ClientCAFile != "" {
		settings.ClientCAs = x509.NewCertPool()
		if !settings.ClientCAs.AppendCertsFromPEM([]byte(r.clientCA)) {
			return bridge.NewSettingError("TLS_CLIENT_CA_FILE",
				fmt.Errorf("%s contains no certificate in PEM", c.opts.ClientCAFile), "set the authorities of your clients")
		}
		settings.ClientAuth = tls.RequireAndVerifyClientCert
		settings.SessionTicketsDisabled = true // a removed authority must not live on in tickets
	}
	c.active.Store(settings)
	c.expiry.Set(float64(pair.Leaf.NotAfter.Unix()))
	if left := time.Until(pair.Leaf.NotAfter); left < 14*24*time.Hour {
		c.opts.Log.Warn("TLS certificate expires soon",
			zap.String("path", c.opts.CertFile), zap.Time("expires", pair.Leaf.NotAfter))
	}
	return nil
}
