//go:build brokers

package nats

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"
)

// TestContractBrokers runs the contract against three real nats-servers that form a cluster, with three copies of each
// stream. Stopping the broker kills all of them.
func TestContractBrokers(t *testing.T) {
	program := filepath.Join(t.TempDir(), "nats-server")
	if output, err := exec.Command("go", "build", "-o", program,
		"github.com/nats-io/nats-server/v2").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	c := startProcesses(t, program)
	n := 0
	h := contract(func(t *testing.T, o Options) *transporttest.Topic {
		n++
		c.reset(t)
		o.URL, o.Replicas, o.AckTimeout = c.urls(), 3, 5*time.Second
		p, err := Dial(o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { transporttest.CloseSoon(p) })
		read := func(stream string) func(*testing.T) []transporttest.Record {
			return func(t *testing.T) []transporttest.Record {
				return natstest.Records(t, natstest.Connect(t, c.urls()), stream)
			}
		}
		return &transporttest.Topic{
			Publisher: p, Events: read(o.Stream), Quarantine: read(QuarantineStream),
			Consume: consumes(o), Foreign: func(t *testing.T, subject string, payload []byte) {
				natstest.Foreign(t, natstest.Connect(t, c.urls()), subject, payload)
			},
			Stop: func(*testing.T) { c.kill() }, Start: func(t *testing.T) { c.begin(t) },
		}
	})
	h.Away, h.Restart = 15*time.Second, 30*time.Second
	transporttest.Run(t, h)
	transporttest.RunConsumer(t, h)
}

// realCluster is three nats-servers in processes of their own.
type realCluster struct {
	program string
	dirs    []string
	clients []int // ports
	routes  []int
	cmds    []*exec.Cmd
}

func startProcesses(t *testing.T, program string) *realCluster {
	t.Helper()
	c := &realCluster{program: program, cmds: make([]*exec.Cmd, 3)}
	ports := transporttest.FreePorts(t, 6)
	c.clients, c.routes = ports[:3], ports[3:]
	for range c.clients {
		c.dirs = append(c.dirs, t.TempDir())
	}
	c.begin(t)
	t.Cleanup(c.kill)
	return c
}

func (c *realCluster) urls() string {
	var out []string
	for _, port := range c.clients {
		out = append(out, fmt.Sprintf("nats://127.0.0.1:%d", port))
	}
	return strings.Join(out, ",")
}

func (c *realCluster) begin(t *testing.T) {
	t.Helper()
	var routes []string
	for _, port := range c.routes {
		routes = append(routes, fmt.Sprintf("nats://127.0.0.1:%d", port))
	}
	for i := range c.cmds {
		config := filepath.Join(c.dirs[i], "nats.conf")
		text := fmt.Sprintf("server_name: n%d\nlisten: 127.0.0.1:%d\njetstream { store_dir: %q, max_file: 1TB }\ncluster "+
			"{ name: tests, "+
			"listen: 127.0.0.1:%d, routes: [%s] }\n",
			i, c.clients[i], c.dirs[i], c.routes[i], strings.Join(routes, ", "))
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c.cmds[i] = exec.Command(c.program, "-c", config)
		if err := c.cmds[i].Start(); err != nil {
			t.Fatal(err)
		}
	}
	for _, port := range c.clients {
		for end := time.Now().Add(time.Minute); ; {
			conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if err == nil {
				_ = conn.Close()
				break
			}
			if time.Now().After(end) {
				t.Fatal(err)
			}
			<-time.After(20 * time.Millisecond)
		}
	}
}

func (c *realCluster) kill() {
	for _, cmd := range c.cmds {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
}

// reset removes the streams of the test before.
func (c *realCluster) reset(t *testing.T) {
	t.Helper()
	js := natstest.Connect(t, c.urls())
	for end := time.Now().Add(time.Minute); ; {
		left, err := 0, error(nil)
		names := js.StreamNames(t.Context())
		for name := range names.Name() {
			left++
			err = js.DeleteStream(t.Context(), name)
		}
		if err == nil {
			err = names.Err()
		}
		if err == nil && left == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
		<-time.After(50 * time.Millisecond)
	}
}
