package natstest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"livebridge/transports/transporttest"
)

// Servers is how many servers a Cluster has.
const Servers = 3

// Cluster is nats-servers that form a cluster, each a process of its own. What two of them say to each other goes
// through links, which can be cut.
type Cluster struct {
	program string
	nodes   [Servers]*node
	links   map[[2]int]*link // from the server that connects to the other one
}

// node is one server.
type node struct {
	dir    string
	client int // ports
	route  int

	cmd   *exec.Cmd
	ended chan struct{}
}

// StartCluster builds nats-server from its module, starts a cluster and waits until its servers listen. It is stopped
// when the test ends.
func StartCluster(t testing.TB) *Cluster {
	t.Helper()
	c := &Cluster{program: filepath.Join(t.TempDir(), "nats-server"), links: make(map[[2]int]*link)}
	const source = "github.com/nats-io/nats-server/v2"
	if output, err := exec.Command("go", "build", "-o", c.program, source).CombinedOutput(); err != nil {
		t.Fatalf("build nats-server: %v\n%s", err, output)
	}
	ports := transporttest.FreePorts(t, 2*Servers)
	for i := range c.nodes {
		c.nodes[i] = &node{dir: t.TempDir(), client: ports[2*i], route: ports[2*i+1]}
	}
	for i := range c.nodes {
		for j := range c.nodes {
			if i != j {
				c.links[[2]int{i, j}] = startLink(t, c.nodes[j].route)
			}
		}
	}
	t.Cleanup(func() { c.saveLogs(t); c.KillAll() })
	c.BeginAll(t)
	return c
}

// NameFormat is how servers are named.
const NameFormat = "n%d"

// Name returns the name of a server.
func Name(i int) string { return fmt.Sprintf(NameFormat, i) }

// URLs returns the addresses for clients, separated by commas.
func (c *Cluster) URLs() string {
	var out []string
	for _, n := range c.nodes {
		out = append(out, fmt.Sprintf("nats://127.0.0.1:%d", n.client))
	}
	return strings.Join(out, ",")
}

// config is a server's configuration. What it tells the others of its own address leads nowhere, or they would connect
// to it beside a link that is cut.
func (c *Cluster) config(i int) string {
	var routes []string
	for j := range c.nodes {
		if l := c.links[[2]int{i, j}]; l != nil {
			routes = append(routes, "nats://"+l.address())
		}
	}
	n := c.nodes[i]
	return fmt.Sprintf("server_name: %s\nlisten: 127.0.0.1:%d\njetstream { store_dir: %q, max_file: 1TB }\n"+
		"cluster { name: tests, listen: 127.0.0.1:%d, advertise: \"127.0.0.1:1\", routes: [%s] }\n",
		Name(i), n.client, n.dir, n.route, strings.Join(routes, ", "))
}

// Begin starts a server that does not run.
func (c *Cluster) Begin(t testing.TB, i int) {
	t.Helper()
	n := c.nodes[i]
	config := filepath.Join(n.dir, "nats.conf")
	if err := os.WriteFile(config, []byte(c.config(i)), 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := os.OpenFile(n.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	n.cmd, n.ended = exec.Command(c.program, "-c", config), make(chan struct{})
	n.cmd.Stdout, n.cmd.Stderr = log, log
	if err := n.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func(cmd *exec.Cmd, ended chan struct{}) {
		defer close(ended)
		_ = cmd.Wait()
	}(n.cmd, n.ended)
}

// BeginAll starts all servers, and waits until they listen.
func (c *Cluster) BeginAll(t testing.TB) {
	t.Helper()
	for i := range c.nodes {
		c.Begin(t, i)
	}
	for i := range c.nodes {
		c.Await(t, i)
	}
}

// Await waits until a server listens.
func (c *Cluster) Await(t testing.TB, i int) {
	t.Helper()
	n := c.nodes[i]
	for end := time.Now().Add(time.Minute); ; {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", n.client))
		if err == nil {
			_ = conn.Close()
			return
		}
		select {
		case <-n.ended:
			t.Fatalf("server %s has exited", Name(i))
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(end) {
			t.Fatalf("server %s does not listen: %v", Name(i), err)
		}
	}
}

// Signal sends a server's process a signal, such as SIGSTOP.
func (c *Cluster) Signal(t testing.TB, i int, what os.Signal) {
	t.Helper()
	if err := c.nodes[i].cmd.Process.Signal(what); err != nil {
		t.Fatalf("server %s is gone: %v", Name(i), err)
	}
}

// Terminate ends a server with SIGTERM, as an operator does, and waits until it has exited.
func (c *Cluster) Terminate(t testing.TB, i int) {
	t.Helper()
	c.Signal(t, i, syscall.SIGTERM)
	select {
	case <-c.nodes[i].ended:
	case <-time.After(time.Minute):
		t.Fatalf("server %s does not end", Name(i))
	}
}

// Kill kills a server with SIGKILL, and waits until it has exited.
func (c *Cluster) Kill(i int) {
	if n := c.nodes[i]; n.cmd != nil && n.cmd.Process != nil {
		_ = n.cmd.Process.Kill()
		<-n.ended
	}
}

// KillAll kills all servers.
func (c *Cluster) KillAll() {
	for i := range c.nodes {
		c.Kill(i)
	}
}

// Cut has nothing that two servers say to each other get through until Mend. They are not told, and their connections
// stay, unless those are to be broken as well.
func (c *Cluster) Cut(i, j int, broken bool) {
	c.links[[2]int{i, j}].cut(broken)
	c.links[[2]int{j, i}].cut(broken)
}

// Mend ends a Cut, and reports whether either server had something to say meanwhile.
func (c *Cluster) Mend(i, j int) (held bool) {
	there, back := c.links[[2]int{i, j}].mend(), c.links[[2]int{j, i}].mend()
	return there || back
}

func (n *node) log() string { return filepath.Join(n.dir, "log") }

// saveLogs keeps what the servers of a test that has failed have logged.
func (c *Cluster) saveLogs(t testing.TB) {
	if !t.Failed() {
		return
	}
	dir, err := os.MkdirTemp("", "livebridge-servers-*")
	for i, n := range c.nodes {
		text, _ := os.ReadFile(n.log())
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, Name(i)), text, 0o600)
		}
	}
	t.Logf("the servers' logs are in %s (%v)", dir, err)
}
