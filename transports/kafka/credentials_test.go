package kafka

import (
	"context"
	"crypto/pbkdf2"
	sha "crypto/sha256"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"livebridge/transports/transporttest"
)

// asAdmin is who reads and changes things behind the publisher's back.
func asAdmin() kgo.Opt { return kgo.SASL(plain.Auth{User: "admin", Pass: "admin"}.AsMechanism()) }

// secured is a cluster that knows a user by a password.
func secured(t *testing.T, password string) *fake {
	t.Helper()
	return startFake(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", "admin", "admin"), kfake.Superuser("SCRAM-SHA-256",
		"bridge", password))
}

// setPassword changes the password at the cluster. Connections that stand go on.
func setPassword(t *testing.T, f *fake, password string) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(f.addrs...), asAdmin())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	const sha256, iterations = 1, 4096
	u := kmsg.NewAlterUserSCRAMCredentialsRequestUpsertion()
	u.Name, u.Mechanism, u.Iterations, u.Salt = "bridge", sha256, iterations, []byte("salt")
	if u.SaltedPassword, err = pbkdf2.Key(sha.New, password, u.Salt, iterations, sha.Size); err != nil {
		t.Fatal(err)
	}
	r := kmsg.NewAlterUserSCRAMCredentialsRequest()
	r.Upsertions = append(r.Upsertions, u)
	answer, err := r.RequestWith(t.Context(), client)
	if err != nil || answer.Results[0].ErrorCode != 0 {
		t.Fatalf("%v %+v", err, answer)
	}
}

// consumed returns the first n records of the events' topic. A repeat is among them in the place of an event.
func consumed(t *testing.T, o Options, n int) []transporttest.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var got []transporttest.Record
	err := Consume(ctx, o, StartAll, func(r Record) error {
		if got = append(got, transporttest.Record{Key: r.Key, Headers: r.Header, Payload: r.Payload}); len(got) == n {
			return context.Canceled
		}
		return nil
	})
	if err != context.Canceled {
		t.Fatalf("%d of %d records were consumed: %v", len(got), n, err)
	}
	return got
}

// passwordOptions have the password in a file.
func passwordOptions(t *testing.T, o Options, password string) Options {
	t.Helper()
	o.SASL, o.User, o.PasswordFile = "scram-sha-256", "bridge", transporttest.File(t, "password", []byte(password+"\n"))
	return o
}

// TestRotation changes the password at the cluster and in the file while events are published, and has all connections
// renewed: every event comes once and in order. A file that cannot be used changes nothing.
func TestRotation(t *testing.T) {
	t.Parallel()
	f := secured(t, "first")
	o, logs := observed()
	o = passwordOptions(t, o, "first")
	var dials atomic.Int64
	dial := o.dial
	o.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		dials.Add(1)
		return dial(ctx, network, address)
	}
	p := f.dial(t, o)
	transporttest.Deliver(t, p, transporttest.Events(10, 1, 5))
	delivered := make(chan struct{})
	go func() { defer close(delivered); transporttest.Deliver(t, p, transporttest.Events(10, 6, 60)) }()
	for _, bad := range []string{"", "\n", "\x00"} {
		transporttest.Overwrite(t, o.PasswordFile, []byte(bad))
		if err := p.Reload(); err == nil || !strings.Contains(err.Error(), "KAFKA_PASSWORD_FILE") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if n := logs.FilterMessageSnippet("retrying").Len(); n != 0 {
		t.Errorf("the log has %v", logs.All())
	}
	before := dials.Load()
	setPassword(t, f, "second") // until the file follows, the cluster may refuse a connection, and that is logged
	transporttest.Overwrite(t, o.PasswordFile, []byte("second\r\n"))
	if err := p.Reload(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(30 * time.Second); dials.Load() == before; <-time.After(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("no new connection was made")
		}
	}
	transporttest.Receive(t, delivered)
	transporttest.Deliver(t, p, transporttest.Events(10, 66, 5))
	o.Brokers = joined(f.addrs)
	want := transporttest.Events(10, 1, 70)
	transporttest.CheckLanes(t, consumed(t, o, len(want)), want)
}

// TestRefusalsAreLoggedOnce: however often a broker refuses, one line says why and where to look, and one that it works
// again, with what the file says by then.
func TestRefusalsAreLoggedOnce(t *testing.T) {
	t.Parallel()
	f := secured(t, "right")
	o, logs := observed()
	o = passwordOptions(t, o, "wrong")
	var dials atomic.Int64
	dial := o.dial
	o.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		dials.Add(1)
		return dial(ctx, network, address)
	}
	p := f.dial(t, o)
	transporttest.AwaitLog(t, logs, "retrying")
	for end := time.Now().Add(30 * time.Second); dials.Load() < 5; <-time.After(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("five attempts were not made")
		}
	}
	lines := logs.All()
	if len(lines) != 1 || !strings.Contains(lines[0].ContextMap()["setting"].(string), "LIVEBRIDGE_KAFKA_PASSWORD_FILE") ||
		!strings.Contains(lines[0].Message, "retrying") {
		t.Errorf("the log has %v", lines)
	}
	transporttest.Overwrite(t, o.PasswordFile, []byte("right"))
	transporttest.AwaitLog(t, logs, "broker connected")
	transporttest.Deliver(t, p, transporttest.Events(2, 1, 3))
}

// TestAlternatingErrorsAreLoggedOnce: three brokers that fail in ways of their own do not fill the log.
func TestAlternatingErrorsAreLoggedOnce(t *testing.T) {
	t.Parallel()
	o, logs := observed()
	var dials atomic.Int64
	o.dial = func(context.Context, string, string) (net.Conn, error) {
		if dials.Add(1)%2 == 0 {
			return nil, errors.New("connection refused")
		}
		return nil, errors.New("no route to host")
	}
	dial(t, o)
	for end := time.Now().Add(30 * time.Second); dials.Load() < 5; <-time.After(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("five attempts were not made")
		}
	}
	if logs.Len() != 1 {
		t.Errorf("the log has %v", logs.All())
	}
}
