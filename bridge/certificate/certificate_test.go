package certificate

import (
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"livebridge/bridge/certificate/certificatetest"
	"livebridge/bridge/filewatch"
)

// pair makes a certificate for a host, and its key, of an authority of its own. It does not expire soon.
func pair(t testing.TB, host string) (cert, key string) {
	t.Helper()
	return contents(t, certificatetest.NewAuthority(t).IssueUntil(t, host, host, time.Now().Add(90*24*time.Hour)))
}

func contents(t testing.TB, c certificatetest.Certificate) (cert, key string) {
	t.Helper()
	return read(t, c.CertFile), read(t, c.KeyFile)
}

func read(t testing.TB, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func write(t testing.TB, path, content string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// shown connects and returns the name in the certificate that the server shows, or the error of either side.
func shown(settings, client *tls.Config) (string, error) {
	serverSide, clientSide := net.Pipe()
	defer func() { _ = serverSide.Close(); _ = clientSide.Close() }()
	served := make(chan error, 1)
	go func() {
		s := tls.Server(serverSide, settings)
		err := s.Handshake()
		if err == nil {
			_, err = s.Write([]byte("x"))
		}
		_ = serverSide.Close()
		served <- err
	}()
	c := tls.Client(clientSide, client)
	if err := c.Handshake(); err != nil {
		return "", err
	}
	if _, err := c.Read(make([]byte, 1)); err != nil {
		return "", err
	}
	return c.ConnectionState().PeerCertificates[0].DNSNames[0], <-served
}

func anyCertificate() *tls.Config { return &tls.Config{InsecureSkipVerify: true} }

func expect(t *testing.T, c *Certificate, host string) {
	t.Helper()
	if got, err := shown(c.TLS(), anyCertificate()); err != nil || got != host {
		t.Errorf("shown is %q, %v; want %q", got, err, host)
	}
}

// TestReload: a new pair is active within two polls; half of one, and anything that cannot be used, changes nothing, is
// logged once, and shows as 0 in the metric.
func TestReload(t *testing.T) {
	dir := t.TempDir()
	firstCert, firstKey := pair(t, "first.example.com")
	secondCert, secondKey := pair(t, "second.example.com")
	core, logs := observer.New(zapcore.WarnLevel)
	registry := prometheus.NewRegistry()
	o := Options{CertFile: write(t, filepath.Join(dir, "cert"), firstCert),
		KeyFile: write(t, filepath.Join(dir, "key"), firstKey),
		Log:     zap.New(core), Registerer: registry}
	c, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		expectSuccessful(t, registry, 1)
		go c.Watch(t.Context())
		seconds := func(n int) { time.Sleep(time.Duration(n)*time.Second + 100*time.Millisecond); synctest.Wait() }
		expect(t, c, "first.example.com")
		write(t, o.CertFile, secondCert) // the key still is the first one's
		seconds(5)
		expect(t, c, "first.example.com")
		expectSuccessful(t, registry, 0)
		if logs.Len() != 1 || !strings.Contains(logs.All()[0].ContextMap()["error"].(string), "TLS_KEY_FILE") {
			t.Errorf("%v", logs.All())
		}
		write(t, o.KeyFile, secondKey)
		seconds(1)
		expect(t, c, "second.example.com")
		expectSuccessful(t, registry, 1)
		write(t, o.CertFile, firstCert[:len(firstCert)/2])
		seconds(1)
		expect(t, c, "second.example.com")
		if err := os.Remove(o.CertFile); err != nil {
			t.Fatal(err)
		}
		seconds(1)
		expect(t, c, "second.example.com")
		write(t, filepath.Join(dir, "new"), firstCert)
		write(t, o.KeyFile, firstKey)
		if err := os.Symlink("new", o.CertFile); err != nil {
			t.Fatal(err)
		}
		seconds(1)
		expect(t, c, "first.example.com")
	})
	for _, line := range logs.All() {
		if strings.Contains(line.ContextMap()["error"].(string), firstKey[40:80]) {
			t.Errorf("the log shows the key: %v", line)
		}
	}
}

// expectSuccessful compares the gauge of the last reload.
func expectSuccessful(t *testing.T, r *prometheus.Registry, want float64) {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "livebridge_tls_last_reload_successful" {
			if got := f.GetMetric()[0].GetGauge().GetValue(); got != want {
				t.Errorf("the last reload: %v, want %v", got, want)
			}
			return
		}
	}
	t.Error("no gauge of the last reload")
}

// TestHalfWritten: a file that is found half written, and could be used so, is not: two polls must read the same.
func TestHalfWritten(t *testing.T) {
	dir := t.TempDir()
	cert, key := pair(t, "server.example.com")
	above, _ := pair(t, "above.example.com")
	core, logs := observer.New(zapcore.InfoLevel)
	o := Options{CertFile: write(t, filepath.Join(dir, "cert"), cert+above+above),
		KeyFile: write(t, filepath.Join(dir, "key"), key),
		Log:     zap.New(core), Registerer: prometheus.NewRegistry()}
	c, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	chain := func() int { return len(c.active.Load().Certificates[0].Certificate) }
	synctest.Test(t, func(t *testing.T) {
		go c.Watch(t.Context())
		synctest.Wait()
		write(t, o.CertFile, cert)
		time.Sleep(filewatch.Interval + filewatch.Interval/2)
		synctest.Wait()
		if n := chain(); n != 3 {
			t.Errorf("a chain of %d is active while the file is being written", n)
		}
		write(t, o.CertFile, cert+above)
		time.Sleep(2 * filewatch.Interval)
		synctest.Wait()
		if n := chain(); n != 2 || logs.Len() != 1 {
			t.Errorf("a chain of %d is active, %v", n, logs.All())
		}
	})
}

// TestClientCertificates: a certificate of another authority is rejected, and so is none.
func TestClientCertificates(t *testing.T) {
	dir := t.TempDir()
	cert, key := pair(t, "server.example.com")
	trusted := certificatetest.NewAuthority(t)
	trustedCert, trustedKey := contents(t, trusted.Issue(t, "friend", "friend.example.com"))
	untrustedCert, untrustedKey := pair(t, "stranger.example.com")
	c, err := Open(Options{CertFile: write(t, filepath.Join(dir, "cert"), cert),
		KeyFile:      write(t, filepath.Join(dir, "key"), key),
		ClientCAFile: trusted.File, Log: zap.NewNop(),
		Registerer: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	with := func(cert, key string) *tls.Config {
		p, err := tls.X509KeyPair([]byte(cert), []byte(key))
		if err != nil {
			t.Fatal(err)
		}
		client := anyCertificate()
		client.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate,
			error) {
			return &p, nil
		} // whomever the server trusts
		return client
	}
	if got, err := shown(c.TLS(), with(trustedCert, trustedKey)); err != nil || got != "server.example.com" {
		t.Errorf("a friend: %q, %v", got, err)
	}
	if _, err := shown(c.TLS(), with(untrustedCert, untrustedKey)); err == nil {
		t.Error("a stranger was let in")
	}
	if _, err := shown(c.TLS(), anyCertificate()); err == nil {
		t.Error("who shows nothing was let in")
	}
}

func TestOldVersionsAreRefused(t *testing.T) {
	dir := t.TempDir()
	cert, key := pair(t, "server.example.com")
	c, err := Open(Options{CertFile: write(t, filepath.Join(dir, "cert"), cert),
		KeyFile: write(t, filepath.Join(dir, "key"), key),
		Log:     zap.NewNop(), Registerer: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	for version, taken := range map[uint16]bool{tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		client := anyCertificate()
		client.MinVersion, client.MaxVersion = tls.VersionTLS10, version
		if _, err := shown(c.TLS(), client); (err == nil) != taken {
			t.Errorf("version %x: %v", version, err)
		}
	}
}

func TestOpenNamesTheSetting(t *testing.T) {
	dir := t.TempDir()
	cert, key := pair(t, "server.example.com")
	good := Options{CertFile: write(t, filepath.Join(dir, "cert"), cert),
		KeyFile: write(t, filepath.Join(dir, "key"), key)}
	for name, change := range map[string]func(*Options){
		"TLS_CERT_FILE":      func(o *Options) { o.CertFile = filepath.Join(dir, "missing") },
		"TLS_KEY_FILE":       func(o *Options) { o.KeyFile = o.CertFile },
		"TLS_CLIENT_CA_FILE": func(o *Options) { o.ClientCAFile = o.KeyFile },
	} {
		o := good
		o.Log, o.Registerer = zap.NewNop(), prometheus.NewRegistry()
		change(&o)
		if _, err := Open(o); err == nil || !strings.Contains(err.Error(), name) ||
			strings.Contains(err.Error(), key[40:80]) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
