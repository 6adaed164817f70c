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
	metadataTTL = 5 * time.Second        // the library asks for the layout of the cluster about so often
	renewPause  = 200 * time.Millisecond // between two renewals
)

// cluster is the connections to the brokers. The library's own look at the cluster comes rarely and cannot be asked for:
// when a leader has moved or a broker is back, the connections are renewed as a whole, which takes a few milliseconds.
type cluster struct {
	addr        net.Addr
	make        func() *kafka.Transport
	credentials *credentials

	mu              sync.Mutex
	transport       *kafka.Transport
	usedCredentials fileContents // the credentials that transport began with
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

// client returns what requests are made with. It is good for one request.
func (c *cluster) client() *kafka.Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	return &kafka.Client{Addr: c.addr, Transport: c.current()}
}

func (c *cluster) current() *kafka.Transport {
	if c.transport == nil {
		c.transport, c.usedCredentials = c.make(), c.credentials.current().fileContents
		c.transport.MetadataTopics = c.topics
		c.renewed = time.Now()
	}
	return c.transport
}

// setTopics sets the topics whose layout is known.
func (c *cluster) setTopics(topics []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Equal(c.topics, topics) {
		c.topics = topics
		c.closeTransport()
	}
}

// renew has new connections made, and the layout asked for, unless that was done a moment ago.
func (c *cluster) renew() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.renewed) >= renewPause {
		c.closeTransport()
	}
}

// reload reads the credentials again, and has new connections made when they are others.
func (c *cluster) reload() error {
	err := c.credentials.load()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.usedCredentials != c.credentials.current().fileContents {
		c.closeTransport()
	}
	return err
}

// closeTransport lets go of the connections; those in use are closed after their answer.
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
