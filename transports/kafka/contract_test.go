package kafka

import (
	"context"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap/zaptest"

	"livebridge/bridge"
	"livebridge/transports/transporttest"
)

// contract is what the suite has to know about Kafka.
func contract(open func(t *testing.T, o Options) *transporttest.Topic) transporttest.Harness {
	o := testOptions()
	opens := func(t *testing.T, o Options) *transporttest.Topic {
		o.Log = zaptest.NewLogger(t)
		return open(t, o)
	}
	return transporttest.Harness{
		Open: func(t *testing.T, binary bool) *transporttest.Topic {
			o := testOptions()
			o.Binary = binary
			return opens(t, o)
		},
		Patient: func(t *testing.T) *transporttest.Topic { return opens(t, patientOptions()) },
		Fits:    defaultLimit - 2048, TooLarge: defaultLimit - 200, Key: (*bridge.Event).PartitionKey,
		HeaderPrefix: "ce_", HeaderValue: func(s string) string { return s },
		DropsRepeats: false, Away: 2*o.AckTimeout + time.Second,
	}
}

// defaultLimit is Kafka's default of max.message.bytes.
const defaultLimit = 1048588

// testOptions compress nothing, so that sizes are what they seem.
func testOptions() Options {
	o := DefaultOptions()
	o.AckTimeout, o.Compression = 2*time.Second, "none"
	return o
}

// patientOptions are those of tests in which the broker is always there, however slow.
func patientOptions() Options {
	o := testOptions()
	o.AckTimeout, o.transaction = time.Minute, time.Minute
	return o
}

func TestContract(t *testing.T) {
	t.Parallel()
	h := contract(func(t *testing.T, o Options) *transporttest.Topic {
		f := startFake(t)
		p := f.dial(t, o)
		o.Brokers = joined(f.addrs)
		return &transporttest.Topic{
			Publisher:  p,
			Events:     func(t *testing.T) []transporttest.Record { return contents(t, f.addrs, o.Topic) },
			Quarantine: func(t *testing.T) []transporttest.Record { return contents(t, f.addrs, o.Quarantine) },
			Consume:    consumes(o),
			Foreign:    foreign(f.addrs, o.Topic),
			Stop:       func(*testing.T) { f.Close() },
			Start:      f.restart,
		}
	})
	transporttest.Run(t, h)
	transporttest.RunConsumer(t, h)
}

// consumes is Consume as the suite calls it.
func consumes(o Options) transporttest.Consume {
	return func(ctx context.Context, all bool, f func(transporttest.Record) error) error {
		start := StartNew
		if all {
			start = StartAll
		}
		return Consume(ctx, o, start, func(r Record) error {
			return f(transporttest.Record{Key: r.Key, Headers: r.Header, Payload: r.Payload})
		})
	}
}

// foreign puts records that are no events into a topic.
func foreign(brokers []string, topic string) func(*testing.T, string, []byte) {
	return func(t *testing.T, key string, payload []byte) {
		t.Helper()
		c, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		r := &kgo.Record{Topic: topic, Key: []byte(key), Value: payload}
		if err := c.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

// fake is a cluster in this process that can be stopped, and started with what it had.
type fake struct {
	*kfake.Cluster
	opts  []kfake.Opt
	addrs []string
}

func startFake(t testing.TB, opts ...kfake.Opt) *fake {
	t.Helper()
	f := &fake{opts: append([]kfake.Opt{kfake.DataDir(t.TempDir())}, opts...)}
	f.begin(t)
	t.Cleanup(func() { f.Close() })
	f.addrs = f.ListenAddrs()
	var ports []int
	for _, addr := range f.addrs {
		_, text, _ := net.SplitHostPort(addr)
		port, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		ports = append(ports, port)
	}
	f.opts = append(f.opts, kfake.Ports(ports...))
	return f
}

func (f *fake) begin(t testing.TB) {
	t.Helper()
	var err error
	if f.Cluster, err = kfake.NewCluster(f.opts...); err != nil {
		t.Fatal(err)
	}
}

func (f *fake) restart(t *testing.T) { f.begin(t) }

// dial makes a publisher to the cluster.
func (f *fake) dial(t testing.TB, o Options) *Publisher {
	t.Helper()
	o.Brokers = joined(f.addrs)
	return dial(t, o)
}

func joined(addrs []string) string { return strings.Join(addrs, ",") }

func dial(t testing.TB, o Options) *Publisher {
	t.Helper()
	p, err := Dial(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { transporttest.CloseSoon(p) })
	return p
}

// contents returns everything in a topic, read by a client that is not the publisher's: in the order of each partition.
func contents(t testing.TB, brokers []string, topic string, opts ...kgo.Opt) []transporttest.Record {
	t.Helper()
	var out []transporttest.Record
	for _, r := range read(t, brokers, topic, opts...) {
		record := transporttest.Record{Key: string(r.Key), Headers: make(map[string]string), Payload: r.Value}
		for _, h := range r.Headers {
			record.Headers[h.Key] = string(h.Value)
		}
		out = append(out, record)
	}
	return out
}

func read(t testing.TB, brokers []string, topic string, opts ...kgo.Opt) []*kgo.Record {
	t.Helper()
	left := ends(t, brokers, topic)
	c, err := kgo.NewClient(append(opts, kgo.SeedBrokers(brokers...), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var out []*kgo.Record
	for len(left) > 0 {
		fetches := c.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			t.Fatalf("partitions of %s that could not be read to their end: %v", topic, left)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			out = append(out, r)
			if r.Offset+1 >= left[int(r.Partition)] {
				delete(left, int(r.Partition))
			}
		})
	}
	slices.SortStableFunc(out, func(a, b *kgo.Record) int { return int(a.Partition - b.Partition) })
	return out
}

// ends returns the end of each partition that has something. After a broker's start it asks until all of them have
// leaders.
func ends(t testing.TB, brokers []string, topic string) map[int]int64 {
	t.Helper()
	for limit := time.Now().Add(time.Minute); ; {
		out, err := endsOnce(t, brokers, topic)
		if err == nil {
			return out
		}
		if time.Now().After(limit) {
			t.Fatal(err)
		}
		<-time.After(100 * time.Millisecond)
	}
}

func endsOnce(t testing.TB, brokers []string, topic string) (map[int]int64, error) {
	client := &kafka.Client{Addr: kafka.TCP(brokers...), Transport: &kafka.Transport{}, Timeout: 10 * time.Second}
	defer client.Transport.(*kafka.Transport).CloseIdleConnections()
	meta, err := client.Metadata(t.Context(), &kafka.MetadataRequest{Topics: []string{topic}})
	if err != nil {
		return nil, err
	}
	var all []kafka.OffsetRequest
	for _, p := range meta.Topics[0].Partitions {
		all = append(all, kafka.LastOffsetOf(p.ID))
	}
	out := make(map[int]int64)
	if len(all) == 0 {
		return out, meta.Topics[0].Error
	}
	answer, err := client.ListOffsets(t.Context(),
		&kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: all}})
	if err != nil {
		return nil, err
	}
	for _, p := range answer.Topics[topic] {
		if p.Error != nil {
			return nil, p.Error
		}
		if p.LastOffset > 0 {
			out[p.Partition] = p.LastOffset
		}
	}
	return out, nil
}
