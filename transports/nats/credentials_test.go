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

	"livebridge/bridge/certificate/certificatetest"
	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"
)

// rotation is what changes at the server, and in the files, in the course of a test.
type rotation struct{ server, files func() }

// TestReconnectUsesCurrentCredentials: when the client has given a connection up, the next one is made with what the
// files say by then, at the first attempt.
func TestReconnectUsesCurrentCredentials(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t, &server.Options{Authorization: "first"})
	o := quickOptions(s.URL)
	o.TokenFile = transporttest.File(t, "token", []byte("first"))
	l := natstest.Must(newConnector(&o))
	before := natstest.Must(l.connect(o.URL))
	before.Close()
	s.Reload(t, func(so *server.Options) { so.Authorization = "second" })
	transporttest.Overwrite(t, o.TokenFile, []byte("second"))
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
	pair := natstest.Must(nkeys.CreateUser())
	public = natstest.Must(pair.PublicKey())
	claims := jwt.NewUserClaims(public)
	if !expires.IsZero() {
		claims.Expires = expires.Unix()
	}
	return public, natstest.Must(jwt.FormatUserConfig(natstest.Must(claims.Encode(k.account)), natstest.Must(pair.Seed())))
}

// newSigners sets the server up for operator mode.
func newSigners(t *testing.T, so *server.Options) *signers {
	t.Helper()
	k := &signers{operator: natstest.Must(nkeys.CreateOperator()), account: natstest.Must(nkeys.CreateAccount()),
		resolver: &server.MemAccResolver{}}
	system := natstest.Must(natstest.Must(nkeys.CreateAccount()).PublicKey())
	operator := jwt.NewOperatorClaims(natstest.Must(k.operator.PublicKey()))
	operator.SystemAccount = system
	so.TrustedOperators, so.AccountResolver, so.SystemAccount = []*jwt.OperatorClaims{operator}, k.resolver, system
	k.accountClaims = jwt.NewAccountClaims(natstest.Must(k.account.PublicKey()))
	k.accountClaims.Limits.JetStreamLimits = jwt.JetStreamLimits{MemoryStorage: jwt.NoLimit, DiskStorage: jwt.NoLimit,
		Streams: jwt.NoLimit, Consumer: jwt.NoLimit}
	for _, claims := range []*jwt.AccountClaims{k.accountClaims, jwt.NewAccountClaims(system)} {
		if err := k.resolver.Store(claims.Subject, natstest.Must(claims.Encode(k.operator))); err != nil {
			t.Fatal(err)
		}
	}
	return k
}

// revoke has the server refuse a user from now on, and lose its connections.
func (k *signers) revoke(t *testing.T, s *server.Server, public string) {
	t.Helper()
	k.accountClaims.Revoke(public)
	if err := k.resolver.Store(k.accountClaims.Subject, natstest.Must(k.accountClaims.Encode(k.operator))); err != nil {
		t.Fatal(err)
	}
	s.UpdateAccountClaims(natstest.Must(s.LookupAccount(k.accountClaims.Subject)), k.accountClaims)
}

// rotations are the kinds of credentials, each with how to rotate them.
func rotations() map[string]func(*testing.T, *server.Options, *Options) func(*natstest.Server) rotation {
	return map[string]func(*testing.T, *server.Options, *Options) func(*natstest.Server) rotation{
		"token": func(t *testing.T, so *server.Options, o *Options) func(*natstest.Server) rotation {
			so.Authorization, o.TokenFile = "first", transporttest.File(t, "token", []byte("first\n"))
			return func(s *natstest.Server) rotation {
				return rotation{func() { s.Reload(t, func(so *server.Options) { so.Authorization = "second" }) },
					func() { transporttest.Overwrite(t, o.TokenFile, []byte("second\r\n")) }}
			}
		},
		"password": func(t *testing.T, so *server.Options, o *Options) func(*natstest.Server) rotation {
			so.Username, so.Password, o.User, o.PasswordFile = "bridge", "first", "bridge", transporttest.File(t, "password",
				[]byte("first"))
			return func(s *natstest.Server) rotation {
				return rotation{func() { s.Reload(t, func(so *server.Options) { so.Password = "second" }) },
					func() { transporttest.Overwrite(t, o.PasswordFile, []byte("second")) }}
			}
		},
		"nkey": func(t *testing.T, so *server.Options, o *Options) func(*natstest.Server) rotation {
			seed, public := key(t, nkeys.CreateUser)
			so.Nkeys, o.NKeyFile = []*server.NkeyUser{{Nkey: public}}, transporttest.File(t, "bridge.nk", seed)
			seed, public = key(t, nkeys.CreateUser)
			return func(s *natstest.Server) rotation {
				return rotation{func() { s.Reload(t, func(so *server.Options) { so.Nkeys = []*server.NkeyUser{{Nkey: public}} }) },
					func() { transporttest.Overwrite(t, o.NKeyFile, seed) }}
			}
		},
		"credentials": func(t *testing.T, so *server.Options, o *Options) func(*natstest.Server) rotation {
			k := newSigners(t, so)
			public, creds := k.user(time.Time{})
			o.CredsFile = transporttest.File(t, "bridge.creds", creds)
			_, creds = k.user(time.Time{})
			return func(s *natstest.Server) rotation {
				return rotation{func() { k.revoke(t, s.Running, public) },
					func() { transporttest.Overwrite(t, o.CredsFile, creds) }}
			}
		},
		"certificates of both sides": func(t *testing.T, so *server.Options, o *Options) func(*natstest.Server) rotation {
			first, second := certificatetest.NewAuthority(t), certificatetest.NewAuthority(t)
			config := func(a *certificatetest.Authority) *tls.Config {
				return &tls.Config{Certificates: []tls.Certificate{a.Issue(t, "server", "127.0.0.1").Certificate},
					ClientCAs: a.Pool(), ClientAuth: tls.RequireAndVerifyClientCert}
			}
			so.TLSConfig = config(first)
			before, after := first.Issue(t, "client", "client"), second.Issue(t, "client", "client")
			o.CAFile, o.CertFile, o.KeyFile = first.File, before.CertFile, before.KeyFile
			return func(s *natstest.Server) rotation {
				return rotation{
					func() {
						s.Reload(t, func(so *server.Options) { so.TLSConfig = config(second) })
						for _, c := range natstest.Must(s.Running.Connz(nil)).Conns {
							_ = s.Running.DisconnectClientByID(c.Cid) // the server keeps connections that it would refuse now
						}
					},
					func() {
						for from, to := range map[string]string{
							second.File: first.File, after.CertFile: before.CertFile, after.KeyFile: before.KeyFile,
						} {
							transporttest.Overwrite(t, to, natstest.Must(os.ReadFile(from)))
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
	t.Parallel()
	for name, prepare := range rotations() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			so := &server.Options{}
			o, logs := watchedLog()
			begin := prepare(t, so, &o)
			s := natstest.Start(t, so)
			o.URL = s.URL
			p := natstest.Must(Dial(o))
			defer transporttest.CloseSoon(p)
			r, want := begin(s), transporttest.Events(4, 1, 40)
			transporttest.Deliver(t, p, transporttest.Events(4, 1, 10))
			r.server()
			transporttest.AwaitLog(t, logs, "broker unavailable") // the old credentials are refused
			delivered := make(chan struct{})
			go func() { defer close(delivered); transporttest.Deliver(t, p, transporttest.Events(4, 11, 30)) }()
			r.files()
			transporttest.Receive(t, delivered)
			var got []transporttest.Record
			for _, c := range consumedBy(t, o, len(want)) {
				got = append(got, transporttest.Record{Key: c.Subject, Headers: map[string]string{}, Payload: c.Payload})
			}
			transporttest.CheckLanes(t, got, want)
			transporttest.Eventually(t, "the start and the recovery are logged", func() bool { // perhaps after an event
				return logs.FilterMessage("broker connected").Len() == 2
			})
		})
	}
}

// TestReload: while the server accepts old and new credentials, the bridge reconnects with the new ones. Publishing
// goes on throughout.
func TestReload(t *testing.T) {
	t.Parallel()
	firstSeed, first := key(t, nkeys.CreateUser)
	secondSeed, second := key(t, nkeys.CreateUser)
	s := natstest.Start(t, &server.Options{Nkeys: []*server.NkeyUser{{Nkey: first}, {Nkey: second}}})
	o := testOptions()
	o.URL, o.NKeyFile = s.URL, transporttest.File(t, "bridge.nk", firstSeed)
	p := natstest.Must(Dial(o))
	defer transporttest.CloseSoon(p)
	known := func() []string {
		var users []string
		for _, c := range natstest.Must(s.Running.Connz(&server.ConnzOptions{Username: true})).Conns {
			users = append(users, c.AuthorizedUser)
		}
		return users
	}
	transporttest.Deliver(t, p, transporttest.Events(2, 1, 5))
	delivered := make(chan struct{})
	go func() { defer close(delivered); transporttest.Deliver(t, p, transporttest.Events(2, 6, 200)) }()
	for _, unusable := range []string{"", "SUAX", string(bytes.ToLower(secondSeed))} {
		transporttest.Overwrite(t, o.NKeyFile, []byte(unusable))
		if err := p.Reload(); err == nil || !strings.Contains(err.Error(), "NATS_NKEY_FILE") ||
			strings.Contains(err.Error(), string(secondSeed[4:])) {
			t.Errorf("%q: %v", unusable, err)
		}
	}
	if users := known(); len(users) != 1 || users[0] != first {
		t.Errorf("after bad files the server knows %v", users)
	}
	transporttest.Overwrite(t, o.NKeyFile, secondSeed)
	if err := p.Reload(); err != nil {
		t.Fatal(err)
	}
	transporttest.Eventually(t, "the new key is used", func() bool {
		users := known()
		return len(users) == 1 &&
			users[0] == second
	})
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
	garbage, empty, missing := transporttest.File(t, "garbage", seed), transporttest.File(t, "empty", []byte("\n")),
		filepath.Join(t.TempDir(), "missing")
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
			if err := o.Check(); err == nil || !strings.Contains(err.Error(), setting) ||
				strings.Contains(err.Error(), string(seed)) {
				t.Errorf("%s: %s: %v", setting, path, err)
			}
		}
	}
}
