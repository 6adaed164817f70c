package nats

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"

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
			o.NKeyFile = file(t, "bridge.nk", seed)
		}},
		{"credentials", operatorMode},
		{"TLS", func(t *testing.T, so *server.Options, o *Options) {
			ca := newAuthority(t)
			so.TLSConfig = &tls.Config{Certificates: []tls.Certificate{ca.pair(t, "server")}}
			o.CAFile = ca.file
		}},
		{"TLS both ways", func(t *testing.T, so *server.Options, o *Options) {
			ca := newAuthority(t)
			so.TLSConfig = &tls.Config{Certificates: []tls.Certificate{ca.pair(t, "server")}, ClientCAs: ca.pool(), ClientAuth: tls.RequireAndVerifyClientCert}
			ca.pair(t, "client")
			o.CAFile, o.CertFile, o.KeyFile = ca.file, filepath.Join(ca.dir, "client.crt"), filepath.Join(ca.dir, "client.key")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			so, o, anonymous := &server.Options{}, testOptions(), testOptions()
			c.prep(t, so, &o)
			s := startServer(t, so)
			o.URL, anonymous.URL = s.url, s.url
			p, err := Dial(o)
			if err != nil {
				t.Fatal(err)
			}
			defer closePublisher(t, p)
			if err := publish(t, p, event("a", 1)); err != nil {
				t.Fatal(err)
			}
			if got := consumedBy(t, o, 1); !strings.Contains(string(got[0].Payload), event("a", 1).ID.String()) {
				t.Errorf("consumed %s", got[0].Payload)
			}
			unauthorized, err := Dial(anonymous)
			if err != nil {
				t.Fatal(err)
			}
			defer closeSoon(unauthorized)
			if err := transporttest.Try(t, unauthorized, event("a", 2)); err == nil {
				t.Error("the server takes events from strangers, so nothing was tested")
			}
		})
	}
}

// operatorMode sets a server up whose users are signed by an account, which is signed by an operator.
func operatorMode(t *testing.T, so *server.Options, o *Options) {
	operatorModeWith(t, so, o, jwt.JetStreamLimits{MemoryStorage: jwt.NoLimit, DiskStorage: jwt.NoLimit, Streams: jwt.NoLimit, Consumer: jwt.NoLimit})
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
	for public, claims := range map[string]*jwt.AccountClaims{accountKey: account, systemKey: jwt.NewAccountClaims(systemKey)} {
		if err := resolver.Store(public, must(claims.Encode(must(nkeys.FromSeed(operatorSeed))))); err != nil {
			t.Fatal(err)
		}
	}
	user := must(jwt.NewUserClaims(userKey).Encode(must(nkeys.FromSeed(accountSeed))))
	o.CredsFile = file(t, "bridge.creds", must(jwt.FormatUserConfig(user, userSeed)))
}

func key(t *testing.T, create func() (nkeys.KeyPair, error)) (seed []byte, public string) {
	t.Helper()
	pair := must(create())
	return must(pair.Seed()), must(pair.PublicKey())
}

func file(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// authority signs certificates for 127.0.0.1.
type authority struct {
	dir, file string
	cert      *x509.Certificate
	key       *ecdsa.PrivateKey
	names     []string // of the servers, instead of 127.0.0.1
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir(), key: must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))}
	a.cert = &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	a.file = a.write(t, "ca", a.cert, a.key)
	return a
}

// pair makes a certificate and its key, and files of the two.
func (a *authority) pair(t *testing.T, name string) tls.Certificate {
	t.Helper()
	private := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	addresses := []net.IP{net.IPv4(127, 0, 0, 1)}
	if len(a.names) > 0 {
		addresses = nil
	}
	path := a.write(t, name, &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotBefore: a.cert.NotBefore,
		NotAfter: a.cert.NotAfter, IPAddresses: addresses, DNSNames: a.names,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}, private)
	return must(tls.LoadX509KeyPair(path, strings.TrimSuffix(path, ".crt")+".key"))
}

func (a *authority) write(t *testing.T, name string, c *x509.Certificate, private *ecdsa.PrivateKey) string {
	t.Helper()
	path := filepath.Join(a.dir, name)
	for ext, block := range map[string]*pem.Block{
		".crt": {Type: "CERTIFICATE", Bytes: must(x509.CreateCertificate(rand.Reader, c, a.cert, private.Public(), a.key))},
		".key": {Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(private))},
	} {
		if err := os.WriteFile(path+ext, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path + ".crt"
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	content, err := os.ReadFile(a.file)
	if err != nil || !pool.AppendCertsFromPEM(content) {
		panic("the authority's file is unreadable")
	}
	return pool
}
