package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/certificate/certificatetest"
	"livebridge/bridge/checker"
	"livebridge/bridge/signature"
)

// TestForgedDone: a PUBLISH_DONE that is signed with a key of somebody else, or not at all, is refused and changes
// nothing of what its lane sends.
func TestForgedDone(t *testing.T) {
	t.Parallel()
	service := launch(t, t.TempDir())
	service.send(t, "/live/stream", streamCallback("PUBLISH", "room1", 1_587_954_134, time.Now(), ""), 200)
	stamp := fmt.Sprint(time.Now().Unix())
	forged := signature.Sign(bridge.SchemeHMAC, "the-key-of-another-customer-01234",
		signature.Claim{Kind: bridge.KindStream,
			Event: "PUBLISH_DONE", Domain: "push.example.com", App: "live", Stream: "room1", Timestamp: stamp})
	const done = `{"domain":"push.example.com","app":"live","stream":"room1","event":"PUBLISH_DONE",` +
		`"publish_timestamp":1587954134`
	for _, more := range []string{"}", `,"auth_timestamp":` + stamp + `,"auth_sign":"` + forged + `"}`,
		`,"auth_timestamp":` + stamp + `,"auth_sign":""}`} {
		service.send(t, "/live/stream", []byte(done+more), http.StatusUnauthorized)
	}
	service.send(t, "/live/stream", streamCallback("PUBLISH_DONE", "room1", 1_587_954_134, time.Now(), ""), 200)
	service.send(t, "/live/stream", streamCallback("PUBLISH", "room1", 1_587_954_139, time.Now().Add(time.Minute), ""),
		200)
	var got []string
	await(t, service.nats, func(e checker.Event) bool {
		got = append(got, fmt.Sprintf("%s %d%s", e.Occurrence.Event, ordinal(e.Sequence), e.Marks))
		return ordinal(e.Sequence) == 3
	})
	if want := "PUBLISH 1,PUBLISH_DONE 2,PUBLISH 3"; strings.Join(got, ",") != want {
		t.Errorf("%q came out", got)
	}
	service.terminate(t)
}

// TestVariantsOfOneMessage floods the quarantine with all variants of one captured message of each kind: each takes
// four places, and nobody else's entry goes.
func TestVariantsOfOneMessage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	service := launch(t, dir, prefix+"RTC_KEY="+demoKey, prefix+"QUARANTINE_MAX=20")
	for i := range 8 {
		service.send(t, "/live/stream", streamCallback("PUBLISH", fmt.Sprint("victim", i), 1_587_954_134,
			time.Unix(1_600_000_000, 0), ""), 401)
	}
	now := time.Now()
	for i := range 100 {
		body := streamCallback("PUBLISH", "room1", 1_587_954_134, now, fmt.Sprintf(`,"node_ip":"192.0.2.%d"`, i))
		service.send(t, "/live/stream", body, 200)
	}
	service.floodRTC(t)
	all := entriesOf(t, dir, "quarantine")
	count := make(map[string]int)
	for _, e := range all {
		if strings.Contains(e.Lane, "victim") {
			count["victim"]++
		} else {
			count[e.Kind]++
		}
	}
	if count["victim"] != 8 || count["stream"] != 4 || count["rtc-record"] != 4 {
		t.Errorf("%v", count)
	}
	service.terminate(t)
}

// floodRTC sends one SparkRTC message split into headers and body in every way that HTTP can carry.
func (p *program) floodRTC(t *testing.T) {
	t.Helper()
	const text = `{"event_type":"RECORD_FILE_COMPLETE","app_id":"app1","stream_name":"room"}`
	c := signature.RTCClaim{Rand: "123456", Timestamp: fmt.Sprint(time.Now().Unix()), Body: []byte(text)}
	c.Sign = signature.SignRTC(demoKey, c)
	whole, answered := c.Rand+c.Timestamp+text, make(map[int]int)
	for i := 0; i < len(whole); i += 3 {
		for j := i; j < len(whole); j += 5 {
			r, err := http.NewRequest(http.MethodPost, "http://"+p.listen+"/rtc/record", strings.NewReader(whole[j:]))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("X-Rtc-Rand", whole[:i])
			r.Header.Set("X-Rtc-Timestamp", whole[i:j])
			r.Header.Set("X-Rtc-Signature", c.Sign)
			a, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, a.Body)
			_ = a.Body.Close()
			answered[a.StatusCode]++
		}
	}
	if answered[http.StatusUnauthorized] < 100 {
		t.Errorf("answered were %v", answered)
	}
}

// TestPorts: what is for operators is on the admin port alone, and shows no secret.
func TestPorts(t *testing.T) {
	const snapshots = "the-token-of-snapshots"
	service := launch(t, t.TempDir(), prefix+"SNAPSHOT_TOKEN="+snapshots,
		prefix+"NATS_EMBEDDED_TOKEN=the-token-of-consumers")
	secret := `,"user_args":"auth_info=the-credentials"`
	service.send(t, "/live/stream", streamCallback("PUBLISH", "room1", 1_587_954_134, time.Now(), secret), 200)
	service.send(t, "/live/stream", streamCallback("PUBLISH", "room1", 1_587_954_134, time.Unix(1_600_000_000, 0), secret),
		401)
	pages := []string{"/", "/livez", "/readyz", "/metrics", "/schemas/", "/schemas/stream.json",
		"/api/v1/status", "/api/v1/refusals", "/api/v1/settings", "/lane?name=stream:push.example.com/live/room1",
		"/debug/pprof/", "/quarantine", "/journal"}
	for i, path := range pages {
		a, err := http.Get("http://" + service.listen + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = a.Body.Close()
		if a.StatusCode != http.StatusNotFound {
			t.Errorf("the port for callbacks answers %s with %d", path, a.StatusCode)
		}
		if a, err = http.Get("http://" + service.admin + path); err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(a.Body)
		_ = a.Body.Close()
		if want := map[bool]int{true: 200, false: 404}[i < 10]; err != nil || a.StatusCode != want {
			t.Errorf("the admin port answers %s with %d, %v", path, a.StatusCode, err)
		}
		for _, secret := range []string{demoKey, snapshots, "the-token-of-consumers", "the-credentials"} {
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("%s of the admin port shows %q", path, secret)
			}
		}
	}
	service.terminate(t)
}

// TestAdminListen: the admin port is on loopback unless it is set elsewhere, which is warned of.
func TestAdminListen(t *testing.T) {
	s, err := load(with())
	if err != nil {
		t.Fatal(err)
	}
	host, _, err := net.SplitHostPort(s.AdminListen)
	if err != nil || !net.ParseIP(host).IsLoopback() {
		t.Errorf("%q, %v", s.AdminListen, err)
	}
	for listen, warned := range map[string]bool{"127.0.0.1:0": false, ":0": true} {
		service := launch(t, t.TempDir(), prefix+"ADMIN_LISTEN="+listen)
		service.terminate(t)
		if strings.Contains(service.log.String(), "ADMIN_LISTEN") != warned {
			t.Errorf("%s: %s", listen, service.log)
		}
	}
}

// certify writes a certificate for localhost and its key, and returns the pool with its authority, which is new.
func certify(t *testing.T, certFile, keyFile string) *x509.CertPool {
	t.Helper()
	authority := certificatetest.NewAuthority(t)
	issued := authority.Issue(t, "localhost", "localhost")
	for from, to := range map[string]string{issued.CertFile: certFile, issued.KeyFile: keyFile} {
		content, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(to, content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return authority.Pool()
}

// TestServeOverTLS: callbacks come over HTTPS, and a certificate that is replaced is shown to the next connection.
func TestServeOverTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	pool := certify(t, cert, key)
	service := launch(t, filepath.Join(dir, "data"), prefix+"TLS_CERT_FILE="+cert, prefix+"TLS_KEY_FILE="+key,
		prefix+"ALLOW_SOURCES=127.0.0.1,::1")
	client := func(pool *x509.CertPool) *http.Client {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "localhost"},
			ForceAttemptHTTP2: true}
		t.Cleanup(transport.CloseIdleConnections)
		return &http.Client{Transport: transport}
	}
	send := func(c *http.Client) (int, error) {
		a, err := c.Post("https://"+service.listen+"/live/stream", "",
			bytes.NewReader(streamCallback("PUBLISH", "room1", 1_587_954_134, time.Now(), "")))
		if err != nil {
			return 0, err
		}
		defer func() { _ = a.Body.Close() }()
		var output struct{ Status int }
		if err := json.NewDecoder(a.Body).Decode(&output); err != nil || output.Status != 1 || a.ProtoMajor != 2 {
			t.Errorf("%s %+v, %v", a.Proto, output, err)
		}
		return a.StatusCode, nil
	}
	if status, err := send(client(pool)); err != nil || status != 200 {
		t.Fatalf("%d, %v", status, err)
	}
	pool = certify(t, cert, key)
	until(t, "the new certificate is shown", func() bool {
		status, _ := send(client(pool))
		return status == 200
	})
	service.terminate(t)
}

// TestSourcesOfTheProgram: ALLOW_SOURCES and TRUSTED_PROXIES as they are set.
func TestSourcesOfTheProgram(t *testing.T) {
	service := launch(t, t.TempDir(), prefix+"TRUSTED_PROXIES=127.0.0.0/8",
		prefix+"ALLOW_SOURCES=192.0.2.0/24,2001:db8::1")
	for forwarded, want := range map[string]int{"": 403, "192.0.2.9": 200, "198.51.100.1": 403,
		"192.0.2.9, 198.51.100.1": 403, "2001:db8::1": 200} {
		r, err := http.NewRequest(http.MethodPost, "http://"+service.listen+"/live/stream",
			bytes.NewReader(streamCallback("PUBLISH", "room1", 1_587_954_134, time.Now(), "")))
		if err != nil {
			t.Fatal(err)
		}
		if forwarded != "" {
			r.Header.Set("X-Forwarded-For", forwarded)
		}
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = a.Body.Close()
		if a.StatusCode != want {
			t.Errorf("%q: %d", forwarded, a.StatusCode)
		}
	}
	service.terminate(t)
}
