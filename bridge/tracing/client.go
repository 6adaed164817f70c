package tracing

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// client posts spans to a collector. It implements otlptrace.Client.
type client struct {
	cfg      *Config
	http     *http.Client
	stopping chan struct{} // closed when failed requests are not to be repeated any more
	stop     sync.Once
}

// idleTimeout is how long a connection is kept that nothing is sent on.
const idleTimeout = 90 * time.Second

func newClient(cfg *Config) (*client, error) {
	config, err := cfg.tls()
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{TLSClientConfig: config, Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true,
		MaxConnsPerHost: 1, IdleConnTimeout: idleTimeout} // one batch is sent after the other
	return &client{cfg: cfg, http: &http.Client{Transport: transport}, stopping: make(chan struct{})}, nil
}

// tls returns the configuration with the files of a Config.
func (c *Config) tls() (*tls.Config, error) {
	out := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_CERTIFICATE: %w: use a file of PEM certificates", err)
		}
		out.RootCAs = x509.NewCertPool()
		if !out.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_CERTIFICATE: %s has no certificate: use a file of PEM certificates",
				c.CAFile)
		}
	}
	if c.CertFile+c.KeyFile == "" {
		return out, nil
	}
	pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE, OTEL_EXPORTER_OTLP_CLIENT_KEY: %w: "+
			"use files of a PEM certificate and its key", err)
	}
	out.Certificates = []tls.Certificate{pair}
	return out, nil
}

// Start implements otlptrace.Client.
func (*client) Start(context.Context) error { return nil }

// Stop implements otlptrace.Client.
func (c *client) Stop(context.Context) error {
	c.stopRepeating()
	c.http.CloseIdleConnections()
	return nil
}

// stopRepeating makes every further failure final: a collector that is away must not hold up the shutdown.
func (c *client) stopRepeating() { c.stop.Do(func() { close(c.stopping) }) }

// Pauses between two requests with the same spans.
const (
	firstPause = time.Second
	maxPause   = 8 * time.Second
)

// UploadTraces posts spans until the collector takes them or refuses them for good, ctx ends or the shutdown begins.
func (c *client) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	// As bytes that is an ExportTraceServiceRequest, whose package would link gRPC.
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err != nil {
		return err
	}
	if c.cfg.Gzip {
		body = compressed(body)
	}
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		err := c.post(ctx, body)
		if err == nil || errors.Is(err, errRefused) || !c.wait(ctx, pause) {
			return err
		}
	}
}

// wait returns false when there is no time for another request.
func (c *client) wait(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-c.stopping:
	}
	return false
}

func compressed(body []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(body) // to memory
	_ = w.Close()
	return out.Bytes()
}

// errRefused is a response after which the same request makes no sense.
var errRefused = errors.New("refused by the collector")

// maxResponse is how much of a response is read, to use its connection again. Its text is not looked at.
const maxResponse = 64 << 10

// post makes one request. Its error contains neither headers nor a password.
func (c *client) post(ctx context.Context, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.cfg.Endpoint.String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	for name, value := range c.cfg.Headers {
		r.Header.Set(name, value)
	}
	r.Header.Set("Content-Type", "application/x-protobuf")
	if c.cfg.Gzip {
		r.Header.Set("Content-Encoding", "gzip")
	}
	response, err := c.http.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxResponse)) // the status says all
	switch response.StatusCode {
	case http.StatusOK, http.StatusAccepted, http.StatusNoContent:
		return nil
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return fmt.Errorf("status %d", response.StatusCode)
	}
	return fmt.Errorf("%w: status %d", errRefused, response.StatusCode)
}
