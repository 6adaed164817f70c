package providertest_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"sync"
	"testing"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/live/v1/model"

	"livebridge/bridge/provider/providertest"
)

// received is what a callback's receiver got.
type received struct {
	path, body string
	members    map[string]any
}

// receiver keeps what it gets and answers 200.
type receiver struct {
	url string
	mu  sync.Mutex
	all []received
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		got := received{path: q.URL.Path, body: string(body)}
		if err != nil || json.Unmarshal(body, &got.members) != nil {
			t.Errorf("%v: %s", err, body)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.all = append(r.all, got)
	}))
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

// events returns the path, event and stream of everything received so far, and forgets it.
func (r *receiver) events() (events []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, got := range r.all {
		event, stream := got.members["event"], got.members["stream"]
		if event == nil {
			event = got.members["event_type"]
		}
		if stream == nil {
			stream = got.members["stream_name"]
		}
		events = append(events, fmt.Sprintf("%s %v %v", got.path, event, stream))
	}
	r.all = nil
	return events
}

// register registers stream status, recordings of every app and of one, and snapshots.
func register(t *testing.T, url string) *providertest.Provider {
	t.Helper()
	p, l, _ := serve(t)
	secret, every, on := key, "/every", model.GetLiveSnapshotConfigCallBackEnableEnum().ON
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(l.UpdatePublishTemplate(&model.UpdatePublishTemplateRequest{Domain: domain,
		Body: &model.CallbackUrl{Url: url + "/status", AuthSignKey: &secret}}))
	for app, path := range map[string]string{"*": every, "vip": "/vip"} {
		target := url + path
		events := []model.RecordCallbackConfigRequestNotifyEventSubscription{}
		if err := json.Unmarshal([]byte(`["RECORD_START","RECORD_FILE_COMPLETE","RECORD_OVER"]`), &events); err != nil {
			t.Fatal(err)
		}
		must(l.CreateRecordCallbackConfig(&model.CreateRecordCallbackConfigRequest{Body: &model.RecordCallbackConfigRequest{
			PublishDomain: domain, App: app, NotifyCallbackUrl: &target, NotifyEventSubscription: &events, Key: &secret,
		}}))
	}
	picture := url + "/picture"
	must(l.CreateSnapshotConfig(&model.CreateSnapshotConfigRequest{Body: &model.LiveSnapshotConfig{
		Domain: domain, AppName: "vip", TimeInterval: 10, ObsLocation: &model.ObsFileAddr{Bucket: "b", Location: "l"},
		CallBackEnable: &on, CallBackUrl: &picture,
	}}))
	return p
}

// TestAPushLeadsToItsCallbacks: in the documented order, to the callback of its app before that of every app, and only
// for the events that are subscribed.
func TestAPushLeadsToItsCallbacks(t *testing.T) {
	r := newReceiver(t)
	p := register(t, r.url)
	p.Start(t.Context(), providertest.Push{Domain: domain, App: "vip", Stream: "a", Record: true, Pictures: 1})
	p.End(t.Context(), domain, "vip", "a")
	want := []string{"/status PUBLISH a", "/vip RECORD_START a", "/picture <nil> a", "/status PUBLISH_DONE a",
		"/vip RECORD_FILE_COMPLETE a", "/vip RECORD_OVER a"}
	if got := r.events(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
	p.Start(t.Context(), providertest.Push{Domain: domain, App: "live", Stream: "b", Record: true, Pictures: 1})
	if got, want := r.events(), []string{"/status PUBLISH b", "/every RECORD_START b"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestDisorderRepeatsAndTwins(t *testing.T) {
	r := newReceiver(t)
	p := register(t, r.url)
	push := func(c providertest.Push) []string {
		c.Domain, c.App, c.Stream = domain, "live", "a"
		p.Start(t.Context(), c)
		p.End(t.Context(), domain, "live", "a")
		return r.events()
	}
	start, end := "/status PUBLISH a", "/status PUBLISH_DONE a"
	for _, c := range []struct {
		push providertest.Push
		want []string
	}{
		{providertest.Push{Disorder: true}, []string{end, start}},
		{providertest.Push{Repeat: true}, []string{start, start, end, end}},
		{providertest.Push{Twin: true}, []string{start, start + "_lhd", end, end + "_lhd"}},
		{providertest.Push{Disorder: true, Record: true}, []string{"/every RECORD_START a", end, start,
			"/every RECORD_OVER a", "/every RECORD_FILE_COMPLETE a"}},
	} {
		if got := push(c.push); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%+v: got %q", c.push, got)
		}
	}
}

// TestCallbacksAreSignedWithTheRegisteredKey computes the signatures by the provider's formula.
func TestCallbacksAreSignedWithTheRegisteredKey(t *testing.T) {
	r := newReceiver(t)
	p := register(t, r.url)
	p.Start(t.Context(), providertest.Push{Domain: domain, App: "vip", Stream: "a", Record: true})
	for n, got := range r.all {
		m, expires := got.members, ""
		switch v := got.members["auth_timestamp"].(type) {
		case float64:
			expires = fmt.Sprintf("%.0f", v)
		case string:
			expires = v
		}
		claim := fmt.Sprint(m["event"], m["domain"], m["app"], m["stream"], expires)
		if n == 1 {
			claim = fmt.Sprint(expires, m["event_type"], m["publish_domain"], m["app"], m["stream"])
		}
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write([]byte(claim))
		if want := hex.EncodeToString(mac.Sum(nil)); m["auth_sign"] != want {
			t.Errorf("%s signed %v, want %s", got.body, m["auth_sign"], want)
		}
	}
}

// TestPushesOfAStreamDiffer: each has its own publish_timestamp, the same at its start and its end, and no two
// callbacks of a stream share a signature.
func TestPushesOfAStreamDiffer(t *testing.T) {
	r := newReceiver(t)
	p := register(t, r.url)
	for range 3 {
		p.Start(t.Context(), providertest.Push{Domain: domain, App: "live", Stream: "a"})
		p.End(t.Context(), domain, "live", "a")
	}
	sessions, signatures := make(map[any]int), make(map[any]bool)
	for _, got := range r.all {
		sessions[got.members["publish_timestamp"]]++
		signatures[got.members["auth_sign"]] = true
	}
	if len(sessions) != 3 || len(signatures) != 6 {
		t.Errorf("%d sessions, %d signatures", len(sessions), len(signatures))
	}
}

// TestLostCallbacksAreNotSent, and the stream is online all the same.
func TestLostCallbacksAreNotSent(t *testing.T) {
	r := newReceiver(t)
	p := register(t, r.url)
	p.Lose(func(d providertest.Delivery) bool { return d.Event == "PUBLISH" })
	done := p.Start(t.Context(), providertest.Push{Domain: domain, App: "live", Stream: "a"})
	if len(done) != 1 || !done[0].Lost || len(r.events()) != 0 {
		t.Errorf("%+v", done)
	}
	p.Lose(nil)
	if done := p.End(t.Context(), domain, "live", "a"); len(done) != 1 || done[0].Status != http.StatusOK {
		t.Errorf("%+v", done)
	}
}
