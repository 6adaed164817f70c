// Package kafkatest runs an unmodified Apache Kafka for tests: one process per broker, on free ports and in temporary
// directories. It needs Java 17 or later and Maven, and fails the test without them.
package kafkatest

import (
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"livebridge/transports/transporttest"
)

// Options configure a cluster.
type Options struct {
	Nodes      int               // brokers, each also a controller; 0: one
	Properties map[string]string // of every broker, overriding those that the package sets
	Format     []string          // further arguments of the storage tool, such as --add-scram
	JVM        []string          // options of every broker's JVM instead of those for a quick start
}

// Cluster is the brokers of one Kafka cluster.
type Cluster struct {
	nodes []*node
}

// node is one broker.
type node struct {
	dir, config string
	client      int // ports
	internal    int
	controller  int
	classpath   string
	jvm         []string

	cmd   *exec.Cmd
	ended chan struct{}
}

// Start starts a cluster and waits until its brokers listen. It is stopped when the test ends.
func Start(t testing.TB, o Options) *Cluster {
	t.Helper()
	c, classpath := &Cluster{}, Classpath(t)
	for range max(o.Nodes, 1) {
		ports := transporttest.FreePorts(t, 3)
		dir := t.TempDir()
		c.nodes = append(c.nodes, &node{dir: dir, config: filepath.Join(dir, "server.properties"), classpath: classpath,
			client: ports[0], internal: ports[1], controller: ports[2], jvm: o.JVM})
	}
	var work sync.WaitGroup
	for i, n := range c.nodes {
		n.configure(t, c.properties(i, o))
		work.Go(func() { n.format(t, o.Format) })
	}
	work.Wait()
	for i := range c.nodes {
		c.Begin(t, i)
	}
	t.Cleanup(func() {
		for i := range c.nodes {
			c.Kill(i)
		}
	})
	for i := range c.nodes {
		c.Await(t, i)
	}
	return c
}

// Brokers returns the addresses for clients.
func (c *Cluster) Brokers() []string {
	var out []string
	for i := range c.nodes {
		out = append(out, c.Broker(i))
	}
	return out
}

// Broker returns the address of a broker for clients; brokers are counted from 0, and Kafka's node.id is one more.
func (c *Cluster) Broker(i int) string { return fmt.Sprintf("127.0.0.1:%d", c.nodes[i].client) }

// Internal returns the address of a broker's listener without authentication and authorization.
func (c *Cluster) Internal(i int) string { return fmt.Sprintf("127.0.0.1:%d", c.nodes[i].internal) }

// properties are the settings of one broker.
func (c *Cluster) properties(i int, o Options) map[string]string {
	n, nodes := c.nodes[i], len(c.nodes)
	var voters []string
	for id, other := range c.nodes {
		voters = append(voters, fmt.Sprintf("%d@127.0.0.1:%d", id+1, other.controller))
	}
	clients := fmt.Sprintf("CLIENT://127.0.0.1:%d,INTERNAL://127.0.0.1:%d", n.client, n.internal)
	p := map[string]string{
		"process.roles": "broker,controller", "node.id": fmt.Sprint(i + 1),
		"controller.quorum.voters":       strings.Join(voters, ","),
		"listeners":                      fmt.Sprintf("%s,CONTROLLER://127.0.0.1:%d", clients, n.controller),
		"advertised.listeners":           clients,
		"listener.security.protocol.map": "CLIENT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
		"inter.broker.listener.name":     "INTERNAL", "controller.listener.names": "CONTROLLER",
		"log.dirs": filepath.Join(n.dir, "data"), "auto.create.topics.enable": "false",
		"group.initial.rebalance.delay.ms": "0",
		"default.replication.factor":       fmt.Sprint(nodes), "min.insync.replicas": fmt.Sprint(max(nodes-1, 1)),
		"offsets.topic.replication.factor": fmt.Sprint(nodes), "offsets.topic.num.partitions": "1",
		"transaction.state.log.replication.factor": fmt.Sprint(nodes), "transaction.state.log.min.isr": "1",
		"transaction.state.log.num.partitions": "1",
		// failover after a broker's death, shortened from 9 and 30 seconds
		"broker.session.timeout.ms": "3000", "broker.heartbeat.interval.ms": "500", "replica.lag.time.max.ms": "3000",
	}
	maps.Copy(p, o.Properties)
	return p
}

func (n *node) configure(t testing.TB, properties map[string]string) {
	t.Helper()
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		fmt.Fprintf(&text, "%s=%s\n", name, properties[name])
	}
	if err := os.WriteFile(n.config, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// quickStart are options of a JVM that lives for seconds.
func quickStart() []string { return []string{"-Xmx256m", "-XX:TieredStopAtLevel=1"} }

func (n *node) format(t testing.TB, further []string) {
	args := append([]string{"format", "--cluster-id", "bGl2ZWJyaWRnZS10ZXN0cw", "--config", n.config}, further...)
	if text, err := Java(t, n.classpath, quickStart(), "kafka.tools.StorageTool", args...).CombinedOutput(); err != nil {
		t.Errorf("format storage: %v\n%s", err, text)
	}
}

// Begin starts a stopped broker.
func (c *Cluster) Begin(t testing.TB, i int) {
	t.Helper()
	n := c.nodes[i]
	options := n.jvm
	if options == nil {
		options = quickStart()
	}
	log, err := os.OpenFile(filepath.Join(n.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	n.cmd, n.ended = Java(t, n.classpath, options, "kafka.Kafka", n.config), make(chan struct{})
	n.cmd.Stdout, n.cmd.Stderr = log, log
	if err := n.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func(cmd *exec.Cmd, ended chan struct{}) {
		defer close(ended)
		_ = cmd.Wait()
	}(n.cmd, n.ended)
}

// Await waits until a broker listens.
func (c *Cluster) Await(t testing.TB, i int) {
	t.Helper()
	n := c.nodes[i]
	for end := time.Now().Add(2 * time.Minute); ; {
		conn, err := net.Dial("tcp", c.Broker(i))
		if err == nil {
			_ = conn.Close()
			return
		}
		select {
		case <-n.ended:
			t.Fatalf("the broker has exited: %s", c.log(i))
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(end) {
			t.Fatalf("the broker does not listen: %v\n%s", err, c.log(i))
		}
	}
}

func (c *Cluster) log(i int) string {
	text, _ := os.ReadFile(filepath.Join(c.nodes[i].dir, "log"))
	return string(text[max(0, len(text)-4000):])
}

// Process returns the id of a broker's process.
func (c *Cluster) Process(i int) int { return c.nodes[i].cmd.Process.Pid }

// Signal sends a broker's process a signal, such as SIGSTOP.
func (c *Cluster) Signal(t testing.TB, i int, what os.Signal) {
	t.Helper()
	if err := c.nodes[i].cmd.Process.Signal(what); err != nil {
		t.Fatalf("the broker is gone: %v", err)
	}
}

// Kill kills a broker with SIGKILL, and waits until it has exited.
func (c *Cluster) Kill(i int) {
	_ = c.nodes[i].cmd.Process.Kill()
	<-c.nodes[i].ended
}
