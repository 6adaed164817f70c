package ingress

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"livebridge/bridge"
	"livebridge/bridge/signature"
)

const (
	key   = "0123456789abcdef0123456789abcdef"
	other = "fedcba9876543210fedcba9876543210"
	token = "a-token"
)

// fakeJournal is a Journal that keeps what it is given.
type fakeJournal struct {
	mu       sync.Mutex
	arrivals []bridge.Arrival
	answer   func() error
}

func (j *fakeJournal) Append(_ context.Context, a *bridge.Arrival) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.answer != nil {
		if err := j.answer(); err != nil {
			return err
		}
	}
	kept := *a
	kept.Raw = bytes.Clone(a.Raw)
	j.arrivals = append(j.arrivals, kept)
	return nil
}

// door is a server of a test with its journal and its log.
type door struct {
	*Server
	journal *fakeJournal
	logs    *observer.ObservedLogs
}

func newDoor(t testing.TB, change func(*Config, *signature.Config)) *door {
	t.Helper()
	c, sc := DefaultConfig(), signature.Config{Stream: []string{other, key}, Record: []string{key}, RTC: []string{key},
		Skew: 5 * time.Minute, MaxAhead: time.Hour, RTCMaxAge: 24 * time.Hour}
	c.SnapshotToken = token
	if change != nil {
		change(&c, &sc)
	}
	ring, err := signature.NewRing(sc)
	if err != nil {
		t.Fatal(err)
	}
	core, logs := observer.New(zap.DebugLevel)
	j := &fakeJournal{}
	s, err := New(c, ring, j, zap.New(core), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return &door{Server: s, journal: j, logs: logs}
}

func (d *door) do(method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	d.http.Handler.ServeHTTP(w, r)
	return w
}

// stream is a signed stream status callback that expires in so many seconds.
func stream(event, domain string, ahead int64, k string) string {
	c := signature.Claim{Kind: bridge.KindStream, Event: event, Domain: domain, App: "live", Stream: "room1",
		Timestamp: fmt.Sprint(time.Now().Unix() + ahead)}
	return fmt.Sprintf(`{"domain":%q,"app":"live","stream":"room1","event":%q,"publish_timestamp":"1587954134","user_args":"auth_info=hush",`+
		`"auth_timestamp":%s,"auth_sign":%q}`, domain, event, c.Timestamp, signature.Sign(bridge.SchemeHMAC, k, c))
}

func rtc(body, timestamp, k string) []string {
	return []string{headerRTCRand, "123456", headerRTCTimestamp, timestamp,
		headerRTCSignature, signature.SignRTC(k, signature.RTCClaim{Rand: "123456", Timestamp: timestamp, Body: []byte(body)})}
}

const rtcBody = `{"event_type":"RECORD_FILE_COMPLETE","stream_name":"mystream","app_id":"app1","room_id":"room"}`

// TestAnswers is every answer there is, and what is handed on with it.
func TestAnswers(t *testing.T) {
	good := stream("PUBLISH", "push.example.com", 60, key)
	now := fmt.Sprint(time.Now().Unix())
	snapshot := `{"domain":"push.example.com","app":"live","stream_name":"room1","snapshot_url":"http://x/y.jpg"}`
	for _, c := range []struct {
		name, path, body string
		header           []string
		status           int
		result           string
		handedOn         bool
		reason           bridge.Reason
	}{
		{"good", "/live/stream", good, nil, 200, "success", true, ""},
		{"one of several keys", "/live/stream", stream("PUBLISH", "push.example.com", 60, other), nil, 200, "success", true, ""},
		{"too large", "/live/stream", `{"domain":"` + strings.Repeat("x", 64<<10) + `"}`, nil, 413, "too_large", false, ""},
		{"compressed", "/live/stream", good, []string{"Content-Encoding", "gzip"}, 415, "unsupported_media_type", false, ""},
		{"empty", "/live/stream", "", nil, 400, "bad_request", false, ""},
		{"no object", "/live/stream", "[]", nil, 400, "bad_request", false, ""},
		{"twice the same member", "/live/stream", strings.Replace(good, "{", `{"app":"x",`, 1), nil, 400, "bad_request", false, ""},
		{"something behind", "/live/stream", good + "{}", nil, 400, "bad_request", false, ""},
		{"too deep", "/live/stream", strings.Replace(good, "{", `{"x":`+strings.Repeat("[", 8)+strings.Repeat("]", 8)+",", 1), nil, 400, "bad_request", false, ""},
		{"a member is missing", "/live/stream", strings.Replace(good, `"app"`, `"App"`, 1), nil, 400, "bad_request", false, ""},
		{"not signed", "/live/stream", `{"domain":"d.example","app":"a","stream":"s","event":"PUBLISH"}`, nil, 401, "unauthorized", false, ""},
		{"another key", "/live/stream", stream("PUBLISH", "push.example.com", 60, strings.Repeat("x", 40)), nil, 401, "unauthorized", false, ""},
		{"name of a member in other letters", "/live/stream", strings.Replace(good, "auth_sign", "Auth_Sign", 1), nil, 401, "unauthorized", false, ""},
		{"no host name", "/live/stream", stream("PUBLISH", "push_example", 60, key), nil, 403, "forbidden", false, ""},
		{"expired", "/live/stream", stream("PUBLISH", "push.example.com", -301, key), nil, 401, "unauthorized", true, bridge.ReasonExpired},
		{"too far ahead", "/live/stream", stream("PUBLISH", "push.example.com", 3700, key), nil, 401, "unauthorized", true, bridge.ReasonExpired},
		{"within the skew", "/live/stream", stream("PUBLISH", "push.example.com", -200, key), nil, 200, "success", true, ""},
		{"unknown word", "/live/stream", stream("PUBLISH_PAUSED", "push.example.com", 60, key), nil, 200, "success", true, bridge.ReasonUnknownEvent},
		{"recording", "/live/record", record(60), nil, 200, "success", true, ""},
		{"snapshot", "/live/snapshot/" + token, snapshot, nil, 200, "success", true, ""},
		{"snapshot with another token", "/live/snapshot/a-tokem", snapshot, nil, 404, "not_found", false, ""},
		{"snapshot without one", "/live/snapshot", snapshot, nil, 404, "not_found", false, ""},
		{"rtc", "/rtc/record", rtcBody, rtc(rtcBody, now, key), 200, "success", true, ""},
		{"rtc in milliseconds", "/rtc/record", rtcBody, rtc(rtcBody, now+"000", key), 200, "success", true, ""},
		{"rtc of odd length", "/rtc/record", rtcBody, rtc(rtcBody, now+"0", key), 401, "unauthorized", true, bridge.ReasonExpired},
		{"rtc too old", "/rtc/record", rtcBody, rtc(rtcBody, "1587954134", key), 401, "unauthorized", true, bridge.ReasonExpired},
		{"rtc body changed", "/rtc/record", rtcBody + " ", rtc(rtcBody, now, key), 401, "unauthorized", false, ""},
		{"rtc not signed, not JSON", "/rtc/record", "x", nil, 401, "unauthorized", false, ""},
		{"rtc signed, not JSON", "/rtc/record", "x", rtc("x", now, key), 200, "success", true, bridge.ReasonMalformed},
		{"another path", "/live/streams", good, nil, 404, "not_found", false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDoor(t, nil)
			w := d.do("POST", c.path, c.body, c.header...)
			checkAnswer(t, d, w, c.status, c.result, c.body)
			if n := len(d.journal.arrivals); (n == 1) != c.handedOn {
				t.Fatalf("%d arrivals", n)
			}
			if c.handedOn && d.journal.arrivals[0].Reason != c.reason {
				t.Errorf("handed on as %q", d.journal.arrivals[0].Reason)
			}
		})
	}
}

func record(ahead int64) string {
	c := signature.Claim{Kind: bridge.KindRecord, Event: "RECORD_START", Domain: "push.example.com", App: "live", Stream: "room1",
		Timestamp: fmt.Sprint(time.Now().Unix() + ahead)}
	return fmt.Sprintf(`{"publish_domain":"push.example.com","app":"live","stream":"room1","event_type":"RECORD_START","auth_timestamp":%q,"auth_sign":%q}`,
		c.Timestamp, signature.Sign(bridge.SchemeHMAC, key, c))
}

// checkAnswer looks at status, form and words, and that neither the answer nor the log holds a secret.
func checkAnswer(t *testing.T, d *door, w *httptest.ResponseRecorder, status int, result, body string) {
	t.Helper()
	var answer struct {
		Status          int
		Result, Message string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != status || answer.Result != result {
		t.Fatalf("answered %d %s, %v; want %d %s", w.Code, w.Body, err, status, result)
	}
	if (answer.Status == 1) != (status == 200) || status != 200 && answer.Message == "" {
		t.Errorf("answered %s", w.Body)
	}
	if !strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
		t.Errorf("content type %s", w.Header().Get("Content-Type"))
	}
	said := w.Body.String() + fmt.Sprint(d.logs.All())
	for _, secret := range []string{key, other, token, "hush", signOf(body)} {
		if secret != "" && strings.Contains(said, secret) {
			t.Errorf("%q shows in %s", secret, said)
		}
	}
	if status != 200 && status != 404 && d.logs.Len() == 0 {
		t.Error("nothing was logged")
	}
}

func signOf(body string) string {
	if m := regexp.MustCompile(`"auth_sign":"([0-9a-f]+)"`).FindStringSubmatch(body); m != nil {
		return m[1]
	}
	return ""
}

func TestSettingsChangeAnswers(t *testing.T) {
	good := stream("PUBLISH", "push.example.com", 60, key)
	for _, c := range []struct {
		name       string
		change     func(*Config, *signature.Config)
		path, body string
		status     int
		handedOn   int
	}{
		{"prefix", func(c *Config, _ *signature.Config) { c.PathPrefix = "/tenant" }, "/tenant/live/stream", good, 200, 1},
		{"prefix missing", func(c *Config, _ *signature.Config) { c.PathPrefix = "/tenant" }, "/live/stream", good, 404, 0},
		{"domain listed", func(_ *Config, s *signature.Config) { s.Domains = []string{"PUSH.example.com"} }, "/live/stream", good, 200, 1},
		{"domain not listed", func(_ *Config, s *signature.Config) { s.Domains = []string{"other.example.com"} }, "/live/stream", good, 403, 0},
		{"no key for the kind", func(_ *Config, s *signature.Config) { s.Stream = nil }, "/live/stream", good, 401, 0},
		{"unsigned accepted", func(_ *Config, s *signature.Config) { s.Stream, s.AcceptUnsigned = nil, true }, "/live/stream", good, 200, 1},
		{"ignored", func(c *Config, _ *signature.Config) { c.IgnoreStreams = regexp.MustCompile("^room") }, "/live/stream", good, 200, 0},
		{"ignored and forged", func(c *Config, _ *signature.Config) { c.IgnoreStreams = regexp.MustCompile("^room") }, "/live/stream",
			stream("PUBLISH", "push.example.com", 60, strings.Repeat("x", 40)), 401, 0},
		{"weaker scheme not configured", nil, "/live/record", legacy(), 401, 0},
		{"weaker scheme configured", func(_ *Config, s *signature.Config) { s.RecordScheme = bridge.SchemeMD5 }, "/live/record", legacy(), 200, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDoor(t, c.change)
			if w := d.do("POST", c.path, c.body); w.Code != c.status || len(d.journal.arrivals) != c.handedOn {
				t.Errorf("answered %d %s, %d handed on", w.Code, w.Body, len(d.journal.arrivals))
			}
		})
	}
}

func legacy() string {
	c := signature.Claim{Kind: bridge.KindRecord, Timestamp: fmt.Sprint(time.Now().Unix() + 60)}
	return fmt.Sprintf(`{"publish_domain":"push.example.com","app":"live","stream":"room1","event_type":"RECORD_START","auth_timestamp":%q,"auth_sign":%q}`,
		c.Timestamp, signature.Sign(bridge.SchemeMD5, key, c))
}

func TestUnknownWordIsTrustedWithDomains(t *testing.T) {
	d := newDoor(t, func(c *Config, s *signature.Config) { c.DomainsListed, s.Domains = true, []string{"push.example.com"} })
	if w := d.do("POST", "/live/stream", stream("PUBLISH_PAUSED", "push.example.com", 60, key)); w.Code != 200 {
		t.Fatalf("answered %d", w.Code)
	}
	if a := d.journal.arrivals[0]; a.Reason != "" || a.Event.Type != "com.huaweicloud.live.stream.unknown" {
		t.Errorf("handed on as %q, %s", a.Reason, a.Event.Type)
	}
}

func TestMethod(t *testing.T) {
	if w := newDoor(t, nil).do("GET", "/live/stream", ""); w.Code != 405 {
		t.Errorf("answered %d", w.Code)
	}
}

func TestJournalDoesNotTake(t *testing.T) {
	good := stream("PUBLISH", "push.example.com", 60, key)
	for _, err := range []error{bridge.ErrFull, bridge.ErrStopping, bridge.ErrFailed, errors.New("anything")} {
		d := newDoor(t, nil)
		d.journal.answer = func() error { return fmt.Errorf("wrapped: %w", err) }
		for _, body := range []string{good, stream("PUBLISH", "push.example.com", -301, key)} {
			if w := d.do("POST", "/live/stream", body); w.Code != 503 || w.Header().Get("Retry-After") == "" {
				t.Errorf("%v: answered %d, Retry-After %q", err, w.Code, w.Header().Get("Retry-After"))
			}
		}
	}
}

func TestPanicCostsOneRequest(t *testing.T) {
	d := newDoor(t, nil)
	d.journal.answer = func() error { panic("boom " + key) }
	w := d.do("POST", "/live/stream", stream("PUBLISH", "push.example.com", 60, key))
	if w.Code != 503 || strings.Contains(fmt.Sprint(d.logs.All()), key) {
		t.Errorf("answered %d, logged %v", w.Code, d.logs.All())
	}
}

// serve starts the door on a port and returns its address.
func (d *door) serve(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- d.Serve(l) }()
	t.Cleanup(func() {
		if err := d.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

func request(body string) string {
	return fmt.Sprintf("POST /live/stream HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

func TestSlowBodyCostsItsConnectionOnly(t *testing.T) {
	d := newDoor(t, func(c *Config, _ *signature.Config) { c.ReadTimeout = 100 * time.Millisecond })
	addr := d.serve(t)
	slow, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	if _, err := io.WriteString(slow, "POST /live/stream HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	good, err := http.Post("http://"+addr+"/live/stream", "", strings.NewReader(stream("PUBLISH", "push.example.com", 60, key)))
	if err != nil || good.StatusCode != 200 {
		t.Fatalf("%v, %v", good, err)
	}
	good.Body.Close()
	answer, err := io.ReadAll(slow)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 400") {
		t.Errorf("the slow one was answered %q, %v", answer, err)
	}
}

func TestPipelining(t *testing.T) {
	d := newDoor(t, nil)
	c, err := net.Dial("tcp", d.serve(t))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, request(stream("PUBLISH", "push.example.com", 60, key))+request("x")+request(stream("PUBLISH", "push.example.com", 61, key))); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	for _, want := range []int{200, 400, 200} {
		answer, err := http.ReadResponse(r, nil)
		if err != nil || answer.StatusCode != want {
			t.Fatalf("answered %v, %v; want %d", answer, err, want)
		}
		if _, err := io.Copy(io.Discard, answer.Body); err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	d := newDoor(t, func(c *Config, _ *signature.Config) { c.MaxConnections = 2 })
	addr := d.serve(t)
	var idle []net.Conn
	for range 2 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		idle = append(idle, c)
		if _, err := io.WriteString(c, request("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil {
			t.Fatal(err)
		}
	}
	many, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer many.Close()
	answer, err := http.ReadResponse(bufio.NewReader(many), nil)
	if err != nil || answer.StatusCode != 503 {
		t.Fatalf("one too many was answered %v, %v", answer, err)
	}
	answer.Body.Close()
	idle[0].Close()
	for end := time.Now().Add(10 * time.Second); ; {
		good, err := http.Post("http://"+addr+"/live/stream", "", strings.NewReader("x"))
		if err == nil {
			good.Body.Close()
			if good.StatusCode == 400 {
				return
			}
		}
		if time.Now().After(end) {
			t.Fatalf("its place was not given back: %v", err)
		}
	}
}

func TestShutdownAnswersWhatIsInHand(t *testing.T) {
	d := newDoor(t, nil)
	inHand, release := make(chan struct{}), make(chan struct{})
	d.journal.answer = func() error { close(inHand); <-release; return nil }
	addr := d.serve(t)
	status := make(chan int, 1)
	go func() {
		answer, err := http.Post("http://"+addr+"/live/stream", "", strings.NewReader(stream("PUBLISH", "push.example.com", 60, key)))
		if err != nil {
			status <- 0
			return
		}
		answer.Body.Close()
		status <- answer.StatusCode
	}()
	<-inHand
	down := make(chan error, 1)
	go func() { down <- d.Shutdown(context.Background()) }()
	close(release)
	if got := <-status; got != 200 {
		t.Errorf("answered %d", got)
	}
	if err := <-down; err != nil {
		t.Error(err)
	}
}

func TestRefusalsAreLoggedAtABoundedRate(t *testing.T) {
	d := newDoor(t, nil)
	for range 500 {
		d.do("POST", "/live/stream", "x")
	}
	if n := d.logs.Len(); n < 10 || n > 100 {
		t.Errorf("500 refusals gave %d lines", n)
	}
	d.refused.flush()
	if last := d.logs.All()[d.logs.Len()-1]; last.ContextMap()["left_out"] == int64(0) {
		t.Errorf("the last line says %v", last)
	}
}

func TestBadPrefix(t *testing.T) {
	c := DefaultConfig()
	c.PathPrefix = "tenant/"
	if _, err := New(c, nil, nil, zap.NewNop(), prometheus.NewRegistry()); err == nil || !strings.Contains(err.Error(), "PATH_PREFIX") {
		t.Errorf("got %v", err)
	}
}
