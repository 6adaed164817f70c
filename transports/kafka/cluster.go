package kafka

import (
	"context"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

const (
	metadataTTL = 5 * time.Second        // how often the library refreshes its metadata
	renewPause  = 200 * time.Millisecond // least time between two renewals
)

// cluster is the connections to the brokers. The library refreshes its metadata rarely and not on demand: when a leader
// has moved or a broker is back, all connections are renewed, which takes a few milliseconds. It
// implements producer.Brokers.
type cluster struct {
	addr        net.Addr
	make        func() *kafka.Transport
	credentials *credentials

	mu              sync.Mutex
	transport       *kafka.Transport
	usedCredentials fileContents // the credentials of transport
	topics          []string
	renewed         time.Time
}

func newCluster(ctx context.Context, o *Options) (*cluster, error) {
	creds, err := openCredentials(o)
	if err != nil {
		return nil, err
	}
	return &cluster{addr: kafka.TCP(o.brokers()...), credentials: creds, make: func() *kafka.Transport {
		return &kafka.Transport{
			Dial: creds.dial, DialTimeout: o.AckTimeout, MetadataTTL: metadataTTL, ClientID: "livebridge",
			SASL: creds.mechanism(), Context: ctx,
		}
	}}, nil
}

// Client returns a client for one request.
func (c *cluster) Client() *kafka.Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	return &kafka.Client{Addr: c.addr, Transport: c.current()}
}

func (c *cluster) current() *kafka.Transport {
	if c.transport == nil {
		c.transport, c.usedCredentials = c.make(), c.credentials.current().contents()
		c.transport.MetadataTopics = c.topics
		c.renewed = time.Now()
	}
	return c.transport
}

// setTopics sets the topics whose metadata is fetched.
func (c *cluster) setTopics(topics []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Equal(c.topics, topics) {
		c.topics = topics
		c.closeTransport()
	}
}

// Renew makes the next request use new connections and fresh metadata, unless that was done within renewPause.
func (c *cluster) Renew() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.renewed) >= renewPause {
		c.closeTransport()
	}
}

// renewForCertain is Renew, but waits for what is left of renewPause.
func (c *cluster) renewForCertain(ctx context.Context) {
	c.mu.Lock()
	left := renewPause - time.Since(c.renewed)
	c.mu.Unlock()
	select {
	case <-time.After(left):
	case <-ctx.Done():
	}
	c.Renew()
}

// reload reads the credentials again, and renews the connections when they have changed.
func (c *cluster) reload() error {
	err := c.credentials.load()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.usedCredentials != c.credentials.current().contents() {
		c.closeTransport()
	}
	return err
}

// closeTransport drops the connections; those in use are closed after their answer.
func (c *cluster) closeTransport() {
	if c.transport != nil {
		c.transport.CloseIdleConnections()
		c.transport = nil
	}
}

func (c *cluster) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closeTransport()
}
