package nats

import (
	"bytes"
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"livebridge/transports/transporttest"
)

// eventually waits until something is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !so(); {
		if time.Now().After(end) {
			t.Fatalf("it never came about that %s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// overwrite puts a new content into a file.
func overwrite(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// reload applies other options to a running server.
func (s *testServer) reload(t *testing.T, change func(*server.Options)) {
	t.Helper()
	o := *s.opts
	change(&o)
	if err := s.s.ReloadOptions(&o); err != nil {
		t.Fatal(err)
	}
}

// rotation is what changes at the server, and in the files, in the course of a test.
type rotation struct{ server, files func() }

// TestReconnectUsesCurrentCredentials: when the client has given a connection up, the next one is made with what the
// files say by then, at the first attempt.
func TestReconnectUsesCurrentCredentials(t *testing.T) {
	t.Parallel()
	s := startServer(t, &server.Options{Authorization: "first"})
	o := quickOptions(s.url)
	o.TokenFile = file(t, "token", []byte("first"))
	l := must(newConnector(&o))
	before := must(l.connect(o.URL))
	before.Close()
	s.reload(t, func(so *server.Options) { so.Authorization = "second" })
	overwrite(t, o.TokenFile, []byte("second"))
	next, err := l.connect(o.URL, nats.RetryOnFailedConnect(false))
	if err != nil {
		t.Fatal(err)
	}
	next.Close()
	if before.Opts.Token != "first" {
		t.Error("the options of a connection that is gone were changed")
	}
}

// signers are the keys of operator mode.
type signers struct {
	operator, account nkeys.KeyPair
	accountClaims     *jwt.AccountClaims
	resolver          *server.MemAccResolver
}

// user makes a user of the account, as a credentials file.
func (k *signers) user(expires time.Time) (public string, creds []byte) {
	pair := must(nkeys.CreateUser())
	public = must(pair.PublicKey())
	claims := jwt.NewUserClaims(public)
	if !expires.IsZero() {
		claims.Expires = expires.Unix()
	}
	return public, must(jwt.FormatUserConfig(must(claims.Encode(k.account)), must(pair.Seed())))
}

// newSigners sets the server up for operator mode.
func newSigners(t *testing.T, so *server.Options) *signers {
	t.Helper()
	k := &signers{operator: must(nkeys.CreateOperator()), account: must(nkeys.CreateAccount()), resolver: &server.MemAccResolver{}}
	system := must(must(nkeys.CreateAccount()).PublicKey())
	operator := jwt.NewOperatorClaims(must(k.operator.PublicKey()))
	operator.SystemAccount = system
	so.TrustedOperators, so.AccountResolver, so.SystemAccount = []*jwt.OperatorClaims{operator}, k.resolver, system
	k.accountClaims = jwt.NewAccountClaims(must(k.account.PublicKey()))
	k.accountClaims.Limits.JetStreamLimits = jwt.JetStreamLimits{MemoryStorage: jwt.NoLimit, DiskStorage: jwt.NoLimit, Streams: jwt.NoLimit, Consumer: jwt.NoLimit}
	for _, claims := range []*jwt.AccountClaims{k.accountClaims, jwt.NewAccountClaims(system)} {
		if err := k.resolver.Store(claims.Subject, must(claims.Encode(k.operator))); err != nil {
			t.Fatal(err)
		}
	}
	return k
}

// revoke has the server refuse a user from now on, and lose its connections.
func (k *signers) revoke(t *testing.T, s *server.Server, public string) {
	t.Helper()
	k.accountClaims.Revoke(public)
	if err := k.resolver.Store(k.accountClaims.Subject, must(k.accountClaims.Encode(k.operator))); err != nil {
		t.Fatal(err)
	}
	s.UpdateAccountClaims(must(s.LookupAccount(k.accountClaims.Subject)), k.accountClaims)
}

// rotations are the kinds of credentials, each with how to rotate them.
func rotations() map[string]func(*testing.T, *server.Options, *Options) func(*testServer) rotation {
	return map[string]func(*testing.T, *server.Options, *Options) func(*testServer) rotation{
		"token": func(t *testing.T, so *server.Options, o *Options) func(*testServer) rotation {
			so.Authorization, o.TokenFile = "first", file(t, "token", []byte("first\n"))
			return func(s *testServer) rotation {
				return rotation{func() { s.reload(t, func(so *server.Options) { so.Authorization = "second" }) },
					func() { overwrite(t, o.TokenFile, []byte("second\r\n")) }}
			}
		},
		"password": func(t *testing.T, so *server.Options, o *Options) func(*testServer) rotation {
			so.Username, so.Password, o.User, o.PasswordFile = "bridge", "first", "bridge", file(t, "password", []byte("first"))
			return func(s *testServer) rotation {
				return rotation{func() { s.reload(t, func(so *server.Options) { so.Password = "second" }) },
					func() { overwrite(t, o.PasswordFile, []byte("second")) }}
			}
		},
		"nkey": func(t *testing.T, so *server.Options, o *Options) func(*testServer) rotation {
			seed, public := key(t, nkeys.CreateUser)
			so.Nkeys, o.NKeyFile = []*server.NkeyUser{{Nkey: public}}, file(t, "bridge.nk", seed)
			seed, public = key(t, nkeys.CreateUser)
			return func(s *testServer) rotation {
				return rotation{func() { s.reload(t, func(so *server.Options) { so.Nkeys = []*server.NkeyUser{{Nkey: public}} }) },
					func() { overwrite(t, o.NKeyFile, seed) }}
			}
		},
		"credentials": func(t *testing.T, so *server.Options, o *Options) func(*testServer) rotation {
			k := newSigners(t, so)
			public, creds := k.user(time.Time{})
			o.CredsFile = file(t, "bridge.creds", creds)
			_, creds = k.user(time.Time{})
			return func(s *testServer) rotation {
				return rotation{func() { k.revoke(t, s.s, public) }, func() { overwrite(t, o.CredsFile, creds) }}
			}
		},
		"certificates of both sides": func(t *testing.T, so *server.Options, o *Options) func(*testServer) rotation {
			first, second := newAuthority(t), newAuthority(t)
			config := func(a *authority) *tls.Config {
				return &tls.Config{Certificates: []tls.Certificate{a.pair(t, "server")}, ClientCAs: a.pool(), ClientAuth: tls.RequireAndVerifyClientCert}
			}
			so.TLSConfig = config(first)
			for _, a := range []*authority{first, second} {
				a.pair(t, "client")
			}
			o.CAFile, o.CertFile, o.KeyFile = first.file, filepath.Join(first.dir, "client.crt"), filepath.Join(first.dir, "client.key")
			return func(s *testServer) rotation {
				return rotation{
					func() {
						s.reload(t, func(so *server.Options) { so.TLSConfig = config(second) })
						for _, c := range must(s.s.Connz(nil)).Conns {
							_ = s.s.DisconnectClientByID(c.Cid) // the server keeps connections that it would refuse now
						}
					},
					func() {
						for _, name := range []string{"ca.crt", "client.crt", "client.key"} {
							overwrite(t, filepath.Join(first.dir, name), must(os.ReadFile(filepath.Join(second.dir, name))))
						}
					},
				}
			}
		},
	}
}

// watchedLog returns options with an observed log.
func watchedLog() (Options, *observer.ObservedLogs) {
	core, logs := observer.New(zapcore.InfoLevel)
	o := testOptions()
	o.Log = zap.New(core)
	return o, logs
}

// TestRotation changes credentials while events are published: first the server refuses the old ones, then the new ones
// lie in the file. Nothing is lost, repeated or reordered, and the log has one line about each half.
func TestRotation(t *testing.T) {
	for name, prepare := range rotations() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			so := &server.Options{}
			o, logs := watchedLog()
			begin := prepare(t, so, &o)
			s := startServer(t, so)
			o.URL = s.url
			p := must(Dial(o))
			defer closeSoon(p)
			r, want := begin(s), transporttest.Events(4, 1, 40)
			transporttest.Deliver(t, p, transporttest.Events(4, 1, 10))
			r.server()
			eventually(t, "the old credentials are refused", func() bool { return logs.FilterMessageSnippet("retrying").Len() > 0 })
			delivered := make(chan struct{})
			go func() { defer close(delivered); transporttest.Deliver(t, p, transporttest.Events(4, 11, 30)) }()
			r.files()
			transporttest.Receive(t, delivered)
			var got []transporttest.Record
			for _, c := range consumedBy(t, o, len(want)) {
				got = append(got, transporttest.Record{Key: c.Subject, Headers: map[string]string{}, Payload: c.Payload})
			}
			transporttest.CheckLanes(t, got, want)
			if n := logs.FilterMessage("broker connected").Len(); n != 2 {
				t.Errorf("the start and the recovery were logged %d times: %v", n, logs.All())
			}
		})
	}
}

// TestReload: while the server accepts old and new credentials, the bridge reconnects with the new ones. Publishing
// goes on throughout.
func TestReload(t *testing.T) {
	t.Parallel()
	firstSeed, first := key(t, nkeys.CreateUser)
	secondSeed, second := key(t, nkeys.CreateUser)
	s := startServer(t, &server.Options{Nkeys: []*server.NkeyUser{{Nkey: first}, {Nkey: second}}})
	o := testOptions()
	o.URL, o.NKeyFile = s.url, file(t, "bridge.nk", firstSeed)
	p := must(Dial(o))
	defer closeSoon(p)
	known := func() []string {
		var users []string
		for _, c := range must(s.s.Connz(&server.ConnzOptions{Username: true})).Conns {
			users = append(users, c.AuthorizedUser)
		}
		return users
	}
	transporttest.Deliver(t, p, transporttest.Events(2, 1, 5))
	delivered := make(chan struct{})
	go func() { defer close(delivered); transporttest.Deliver(t, p, transporttest.Events(2, 6, 200)) }()
	for _, unusable := range []string{"", "SUAX", string(bytes.ToLower(secondSeed))} {
		overwrite(t, o.NKeyFile, []byte(unusable))
		if err := p.Reload(); err == nil || !strings.Contains(err.Error(), "NATS_NKEY_FILE") || strings.Contains(err.Error(), string(secondSeed[4:])) {
			t.Errorf("%q: %v", unusable, err)
		}
	}
	if users := known(); len(users) != 1 || users[0] != first {
		t.Errorf("after bad files the server knows %v", users)
	}
	overwrite(t, o.NKeyFile, secondSeed)
	if err := p.Reload(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the new key is used", func() bool { users := known(); return len(users) == 1 && users[0] == second })
	transporttest.Receive(t, delivered)
	var got []transporttest.Record
	for _, c := range consumedBy(t, o, 2*205) {
		got = append(got, transporttest.Record{Headers: map[string]string{}, Payload: c.Payload})
	}
	transporttest.CheckLanes(t, got, transporttest.Events(2, 1, 205))
}

// TestMistakesInFilesAreNamed: at the start a file that cannot be used is an error, which names the setting.
func TestMistakesInFilesAreNamed(t *testing.T) {
	t.Parallel()
	seed, _ := key(t, nkeys.CreateAccount)
	garbage, empty, missing := file(t, "garbage", seed), file(t, "empty", []byte("\n")), filepath.Join(t.TempDir(), "missing")
	for setting, change := range map[string]func(o *Options, path string){
		"NATS_TOKEN_FILE":    func(o *Options, path string) { o.TokenFile = path },
		"NATS_PASSWORD_FILE": func(o *Options, path string) { o.User, o.PasswordFile = "me", path },
		"NATS_CREDS_FILE":    func(o *Options, path string) { o.CredsFile = path },
		"NATS_NKEY_FILE":     func(o *Options, path string) { o.NKeyFile = path },
		"NATS_TLS_CA_FILE":   func(o *Options, path string) { o.CAFile = path },
		"NATS_TLS_CERT_FILE": func(o *Options, path string) { o.CertFile, o.KeyFile = path, path },
	} {
		for _, path := range []string{garbage, empty, missing} {
			if path == garbage && (setting == "NATS_TOKEN_FILE" || setting == "NATS_PASSWORD_FILE") {
				continue // anything may be a password
			}
			o := testOptions()
			change(&o, path)
			if err := o.Check(); err == nil || !strings.Contains(err.Error(), setting) || strings.Contains(err.Error(), string(seed)) {
				t.Errorf("%s: %s: %v", setting, path, err)
			}
		}
	}
}

// TestEmbeddedTokenChanges: who connects afterwards needs the new token, who is connected stays, and a file that cannot
// be used changes nothing.
func TestEmbeddedTokenChanges(t *testing.T) {
	t.Parallel()
	o := EmbeddedOptions{StoreDir: t.TempDir(), Listen: "127.0.0.1:0", TokenFile: file(t, "token", []byte("first\n"))}
	e := must(StartEmbedded(o, testOptions()))
	defer closePublisher(t, e)
	open := func(token string) (*nats.Conn, error) { return nats.Connect(e.ClientURL(), nats.Token(token)) }
	before := must(open("first"))
	defer before.Close()
	overwrite(t, o.TokenFile, nil)
	if err := e.Reload(); err == nil || !strings.Contains(err.Error(), "NATS_EMBEDDED_TOKEN_FILE") {
		t.Errorf("an empty file: %v", err)
	}
	must(open("first")).Close()
	overwrite(t, o.TokenFile, []byte("second"))
	if err := e.Reload(); err != nil {
		t.Fatal(err)
	}
	must(open("second")).Close()
	if conn, err := open("first"); err == nil {
		conn.Close()
		t.Error("the old token is still accepted")
	}
	if err := before.FlushTimeout(10 * time.Second); err != nil || before.Stats().Reconnects > 0 {
		t.Errorf("the connection that stood: %v", err)
	}
	if err := publish(t, e, event("a", 1)); err != nil {
		t.Error(err)
	}
}
