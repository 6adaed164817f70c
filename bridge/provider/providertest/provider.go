package providertest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"livebridge/bridge/provider"
)

// Config is one account at the provider.
type Config struct {
	// AccessKey, SecretKey and SecurityToken are the credentials that requests must carry. The token may be empty.
	AccessKey, SecretKey, SecurityToken string
	// Project is the id of the only project.
	Project string
	// Domains are the account's ingest domains; empty: every domain is.
	Domains []string
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// Provider is one account at the provider. It is safe for concurrent use.
type Provider struct {
	config   Config
	mux      *http.ServeMux
	client   *http.Client
	requests atomic.Int64 // so far, for their ids

	mu         sync.Mutex
	registered map[provider.Place]provider.Callback
	ids        int // of recording callbacks, so far
	faults     []Fault
	healed     chan struct{} // closed by Heal
	online     map[stream]*running
	lanes      map[stream]*numbers
	lost       func(Delivery) bool
}

// New returns a provider at which nothing is registered.
func New(c Config) *Provider {
	if c.Now == nil {
		c.Now = time.Now
	}
	p := &Provider{
		config: c, mux: http.NewServeMux(), client: &http.Client{Timeout: deliveryTimeout},
		registered: make(map[provider.Place]provider.Callback),
		healed:     make(chan struct{}),
		online:     make(map[stream]*running), lanes: make(map[stream]*numbers),
	}
	p.route()
	return p
}

// route adds the API's paths.
func (p *Provider) route() {
	const callbacks, notifications = "/v1/{project}/record/callbacks", "/v1/{project}/notifications/publish"
	const snapshots, rtc = "/v1/{project}/stream/snapshot", "/v2/apps/{app}/record-callback"
	for pattern, f := range map[string]handler{
		"POST " + callbacks: p.createRecord, "GET " + callbacks: p.listRecords,
		"GET " + callbacks + "/{id}": p.showRecord, "PUT " + callbacks + "/{id}": p.updateRecord,
		"DELETE " + callbacks + "/{id}": p.deleteRecord,
		"GET " + notifications:          p.showStream, "PUT " + notifications: p.setStream,
		"DELETE " + notifications: p.deleteStream,
		"POST " + snapshots:       p.createSnapshot, "GET " + snapshots: p.listSnapshots,
		"PUT " + snapshots: p.updateSnapshot, "DELETE " + snapshots: p.deleteSnapshot,
		"GET " + rtc: p.showRTC, "PUT " + rtc: p.setRTC,
		"GET /v1/{project}/realtime/streams": p.listOnline,
	} {
		p.mux.Handle(pattern, p.authenticated(f))
	}
	p.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		p.refuse(w, refusal{http.StatusNotFound, "APIGW.0101", "The API does not exist or has not been published"})
	})
}

// ServeHTTP serves the API.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Request-Id", fmt.Sprintf("emulated-%d", p.requests.Add(1)))
	fault, healed, found := p.takeFault(r)
	switch {
	case !found:
		p.mux.ServeHTTP(w, r)
	case fault.Hang:
		select {
		case <-r.Context().Done():
		case <-healed:
		}
	case fault.Late:
		p.mux.ServeHTTP(discarded{make(http.Header)}, r)
		fallthrough
	default:
		p.fail(w, fault)
	}
}

// Requests returns how many requests there were.
func (p *Provider) Requests() int64 { return p.requests.Load() }

// Registered returns a copy of everything that is registered, with its keys, in the order of places.
func (p *Provider) Registered() []provider.Callback {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sorted(func(provider.Callback) bool { return true })
}

// handler serves an authenticated request; it returns the response's status and body, or a refusal.
type handler func(*http.Request) (status int, body any, err error)

// refusal is an error as the API answers it.
type refusal struct {
	status        int
	code, message string
}

// Error returns the message.
func (r refusal) Error() string { return r.message }

// invalid is the API's answer to a parameter that it does not accept.
func invalid(parameter string) refusal {
	return refusal{http.StatusBadRequest, "LIVE.100011001", "Invalid request parameter: " + parameter}
}

// missing is the API's answer when what is asked for does not exist.
func missing() refusal {
	return refusal{http.StatusNotFound, "LIVE.103011019", "The resource does not exist"}
}

func (p *Provider) refuse(w http.ResponseWriter, r refusal) {
	answer(w, r.status, struct {
		Code      string `json:"error_code"`
		Message   string `json:"error_msg"`
		RequestID string `json:"request_id"`
	}{r.code, r.message, w.Header().Get("X-Request-Id")})
}

// answer sends a response; without a body it is empty.
func answer(w http.ResponseWriter, status int, body any) {
	if body == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // fails when the client is gone
}
