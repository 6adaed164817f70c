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
	addr net.Addr
	make func() *kafka.Transport

	mu        sync.Mutex
	transport *kafka.Transport
	topics    []string
	renewed   time.Time
}

func newCluster(ctx context.Context, o *Options) (*cluster, error) {
	secure, err := o.tlsConfig()
	if err != nil {
		return nil, err
	}
	who, err := o.mechanism()
	if err != nil {
		return nil, err
	}
	return &cluster{addr: kafka.TCP(o.brokers()...), make: func() *kafka.Transport {
		return &kafka.Transport{
			Dial: o.dial, DialTimeout: o.AckTimeout, MetadataTTL: metadataTTL, ClientID: "livebridge", TLS: secure, SASL: who, Context: ctx,
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
		c.transport = c.make()
		c.transport.MetadataTopics = c.topics
		c.renewed = time.Now()
	}
	return c.transport
}

// include sets the topics whose layout is known.
func (c *cluster) include(topics []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Equal(c.topics, topics) {
		c.topics = topics
		c.drop()
	}
}

// renew has new connections made, and the layout asked for, unless that was done a moment ago.
func (c *cluster) renew() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.renewed) >= renewPause {
		c.drop()
	}
}

// drop lets go of the connections; those in use are closed after their answer.
func (c *cluster) drop() {
	if c.transport != nil {
		c.transport.CloseIdleConnections()
		c.transport = nil
	}
}

func (c *cluster) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop()
}
