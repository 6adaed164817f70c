package partitions

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"
)

// serverArguments is what a process of this test that is a server is told.
const serverArguments = "LIVEBRIDGE_TEST_NATS_SERVER"

// process is a server in a process of its own, which can be killed.
type process struct {
	Name, Dir     string
	Listen, Route string // addresses, those of the others in Routes
	Routes        []string

	cmd *exec.Cmd
}

func TestMain(m *testing.M) {
	if text := os.Getenv(serverArguments); text != "" {
		var p process
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			panic(err)
		}
		p.serve()
	}
	os.Exit(m.Run())
}

// serve is the server, until it is killed.
func (p *process) serve() {
	var routes []*url.URL
	for _, address := range p.Routes {
		routes = append(routes, &url.URL{Scheme: "nats-route", Host: address})
	}
	listen, route := natstest.Must(netip.ParseAddrPort(p.Listen)), natstest.Must(netip.ParseAddrPort(p.Route))
	s := natstest.Must(server.NewServer(&server.Options{ServerName: p.Name, Host: listen.Addr().String(),
		Port:      int(listen.Port()),
		JetStream: true, JetStreamMaxStore: natstest.StoreLimit, StoreDir: p.Dir, NoSigs: true, NoLog: true,
		Cluster: server.ClusterOpts{Name: "test", Host: route.Addr().String(), Port: int(route.Port())}, Routes: routes}))
	s.Start()
	s.WaitForShutdown()
	os.Exit(1)
}

// start starts the process.
func (p *process) start(t *testing.T) {
	t.Helper()
	p.cmd = exec.Command(os.Args[0], "-test.run=^$")
	p.cmd.Env = append(os.Environ(), serverArguments+"="+string(natstest.Must(json.Marshal(p))))
	p.cmd.Stderr = os.Stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
}

// kill ends the process without a warning.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// processes starts three servers of a cluster, and returns their addresses.
func processes(t *testing.T) (all []*process, urls string) {
	t.Helper()
	var routes, addresses []string
	for n := range 3 {
		p := &process{Name: fmt.Sprint("n", n), Dir: t.TempDir(), Listen: transporttest.FreeAddress(t),
			Route: transporttest.FreeAddress(t)}
		routes, addresses = append(routes, p.Route), append(addresses, "nats://"+p.Listen)
		all = append(all, p)
	}
	for _, p := range all {
		p.Routes = routes
		p.start(t)
		t.Cleanup(p.kill)
	}
	for _, p := range all {
		p.await(t)
	}
	return all, strings.Join(addresses, ",")
}

// await waits until the server takes connections.
func (p *process) await(t *testing.T) {
	t.Helper()
	transporttest.Eventually(t, p.Name+" is there", func() bool {
		c, err := net.Dial("tcp", p.Listen)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

// TestKilledServers: rows that were overwritten and removed are so on every replica, also after the servers were killed
// before they have written an index. One after the other they lead the stream, and show what they have.
func TestKilledServers(t *testing.T) {
	t.Parallel()
	all, urls := processes(t)
	o, want := intakeOf(t, urls, 3), make(rows)
	p := taken(t, o, 0, make(rows))
	for _, value := range []string{"old", "newer", "last"} {
		for first := 0; first < 60; first += 20 {
			write(t, p, want, twenty(first, value)...)
		}
	}
	write(t, p, want, twenty(0, "")...)      // removed
	write(t, p, want, twenty(20, "")...)     // removed, and the slots taken by others
	write(t, p, want, twenty(100, "new")...) // of which these take the first ones
	<-time.After(2 * time.Second)            // what expires may have done so
	_, js := o.Connection()
	for _, each := range all {
		each.kill()
		each.start(t)
		natstest.AwaitCurrent(t, js, "STATE", len(all))
	}
	for _, each := range all {
		natstest.Lead(t, js, "STATE", each.Name, len(all))
		check(t, rowsOf(t, js), want)
	}
	got := make(rows)
	taken(t, o, 0, got)
	check(t, got, want)
}

// twenty returns rows with a value.
func twenty(first int, value string) (out []string) {
	for n := range 20 {
		out = append(out, fmt.Sprint("row ", first+n), value)
	}
	return out
}

// rowsOf returns the rows that the leader of the state has.
func rowsOf(t *testing.T, js jetstream.JetStream) rows {
	t.Helper()
	got, stream := make(rows), natstest.Led(t, js, "STATE")
	info := natstest.Answered(t, "slots", func(ctx context.Context) (*jetstream.StreamInfo, error) {
		return stream.Info(ctx, jetstream.WithSubjectFilter("STATE.0.s.r.*"))
	})
	for subject := range info.State.Subjects {
		m := natstest.Answered(t, subject, func(ctx context.Context) (*jetstream.RawStreamMsg, error) {
			return stream.GetLastMsgForSubject(ctx, subject)
		})
		c := natstest.Must(readSlot(strings.TrimPrefix(subject, "STATE.0.s.r."), m.Header))
		if c.key != "" {
			got[c.key] = string(m.Data)
		}
	}
	return got
}
