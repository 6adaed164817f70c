package nats

import (
	"crypto/tls"
	"strings"
	"testing"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"

	"livebridge/bridge/certificate/certificatetest"
	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"
)

// TestIdentities: a server that requires credentials accepts events with the right settings, and not otherwise.
func TestIdentities(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		prep func(*testing.T, *server.Options, *Options)
	}{
		{"user and password", func(_ *testing.T, so *server.Options, o *Options) {
			so.Username, so.Password, o.User, o.Password = "bridge", "secret", "bridge", "secret"
		}},
		{"token", func(_ *testing.T, so *server.Options, o *Options) { so.Authorization, o.Token = "secret", "secret" }},
		{"nkey", func(t *testing.T, so *server.Options, o *Options) {
			seed, public := key(t, nkeys.CreateUser)
			so.Nkeys = []*server.NkeyUser{{Nkey: public}}
			o.NKeyFile = transporttest.File(t, "bridge.nk", seed)
		}},
		{"credentials", operatorMode},
		{"TLS", func(t *testing.T, so *server.Options, o *Options) {
			ca := certificatetest.NewAuthority(t)
			so.TLSConfig = &tls.Config{Certificates: []tls.Certificate{ca.Issue(t, "server", "127.0.0.1").Certificate}}
			o.CAFile = ca.File
		}},
		{"TLS both ways", func(t *testing.T, so *server.Options, o *Options) {
			ca := certificatetest.NewAuthority(t)
			so.TLSConfig = &tls.Config{Certificates: []tls.Certificate{ca.Issue(t, "server", "127.0.0.1").Certificate},
				ClientCAs: ca.Pool(), ClientAuth: tls.RequireAndVerifyClientCert}
			client := ca.Issue(t, "client", "client")
			o.CAFile, o.CertFile, o.KeyFile = ca.File, client.CertFile, client.KeyFile
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			so, o, anonymous := &server.Options{}, testOptions(), testOptions()
			c.prep(t, so, &o)
			s := natstest.Start(t, so)
			o.URL, anonymous.URL = s.URL, s.URL
			p, err := Dial(o)
			if err != nil {
				t.Fatal(err)
			}
			defer transporttest.Close(t, p)
			if err := transporttest.Publish(t, p, natstest.Event("a", 1)); err != nil {
				t.Fatal(err)
			}
			if got := consumedBy(t, o, 1); !strings.Contains(string(got[0].Payload), natstest.Event("a", 1).ID.String()) {
				t.Errorf("consumed %s", got[0].Payload)
			}
			unauthorized, err := Dial(anonymous)
			if err != nil {
				t.Fatal(err)
			}
			defer transporttest.CloseSoon(unauthorized)
			if err := transporttest.Try(t, unauthorized, natstest.Event("a", 2)); err == nil {
				t.Error("the server takes events from strangers, so nothing was tested")
			}
		})
	}
}

// operatorMode sets a server up whose users are signed by an account, which is signed by an operator.
func operatorMode(t *testing.T, so *server.Options, o *Options) {
	operatorModeWith(t, so, o, jwt.JetStreamLimits{MemoryStorage: jwt.NoLimit, DiskStorage: jwt.NoLimit,
		Streams: jwt.NoLimit, Consumer: jwt.NoLimit})
}

// operatorModeWith does it with limits of the account.
func operatorModeWith(t *testing.T, so *server.Options, o *Options, limits jwt.JetStreamLimits) {
	t.Helper()
	operatorSeed, operatorKey := key(t, nkeys.CreateOperator)
	accountSeed, accountKey := key(t, nkeys.CreateAccount)
	_, systemKey := key(t, nkeys.CreateAccount)
	userSeed, userKey := key(t, nkeys.CreateUser)
	operator := jwt.NewOperatorClaims(operatorKey)
	operator.SystemAccount = systemKey
	resolver := &server.MemAccResolver{}
	so.TrustedOperators, so.AccountResolver, so.SystemAccount = []*jwt.OperatorClaims{operator}, resolver, systemKey
	account := jwt.NewAccountClaims(accountKey)
	account.Limits.JetStreamLimits = limits
	for public, claims := range map[string]*jwt.AccountClaims{accountKey: account,
		systemKey: jwt.NewAccountClaims(systemKey)} {
		if err := resolver.Store(public,
			natstest.Must(claims.Encode(natstest.Must(nkeys.FromSeed(operatorSeed))))); err != nil {
			t.Fatal(err)
		}
	}
	user := natstest.Must(jwt.NewUserClaims(userKey).Encode(natstest.Must(nkeys.FromSeed(accountSeed))))
	o.CredsFile = transporttest.File(t, "bridge.creds", natstest.Must(jwt.FormatUserConfig(user, userSeed)))
}

func key(t *testing.T, create func() (nkeys.KeyPair, error)) (seed []byte, public string) {
	t.Helper()
	pair := natstest.Must(create())
	return natstest.Must(pair.Seed()), natstest.Must(pair.PublicKey())
}
