package providertest

import (
	"io"
	"net/http"
	"slices"
	"strings"
)

// Fault is a failure of the API.
type Fault struct {
	// Method and Path select the requests that fail: the method, and a part of the path; empty: every one.
	Method, Path string
	// After is how many of these requests succeed before.
	After int
	// Times is how many fail; 0: all from then on.
	Times int

	// Status, Code and Message are the answer. Without a Code, Message is the body as it is, such as that of a proxy.
	Status        int
	Code, Message string
	// Hang: there is no answer until the client gives up, or Heal.
	Hang bool
	// Late: the request takes effect all the same, the answer is the failure.
	Late bool
}

// Throttled is a limit of requests that is reached.
func Throttled() Fault {
	return Fault{Status: http.StatusTooManyRequests, Code: "APIGW.0308",
		Message: "The throttling threshold has been reached: policy user over ratelimit,limit:60,time:1 minute"}
}

// Broken is a failure of the API's own.
func Broken() Fault {
	return Fault{Status: http.StatusInternalServerError, Code: "LIVE.100011002", Message: "Internal error"}
}

// Silent is an API that does not answer.
func Silent() Fault { return Fault{Hang: true} }

// Fail adds a fault. Faults are tried in the order in which they were added.
func (p *Provider) Fail(f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f.Times == 0 {
		f.Times = -1
	}
	p.faults = append(p.faults, f)
}

// Heal removes all faults.
func (p *Provider) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = nil
	close(p.healed)
	p.healed = make(chan struct{})
}

// fail answers with a fault.
func (p *Provider) fail(w http.ResponseWriter, f Fault) {
	if f.Code != "" {
		p.refuse(w, refusal{f.Status, f.Code, f.Message})
		return
	}
	w.WriteHeader(f.Status)
	_, _ = io.WriteString(w, f.Message) // fails when the client is gone
}

// takeFault returns the fault of a request, and what is closed by Heal.
func (p *Provider) takeFault(r *http.Request) (f Fault, healed chan struct{}, found bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.faults {
		f := &p.faults[i]
		if f.Method != "" && f.Method != r.Method || !strings.Contains(r.URL.Path, f.Path) {
			continue
		}
		if f.After > 0 {
			f.After--
			continue
		}
		fault := *f
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				p.faults = slices.Delete(p.faults, i, i+1)
			}
		}
		return fault, p.healed, true
	}
	return Fault{}, nil, false
}

// discarded is a response that nobody gets.
type discarded struct{ header http.Header }

// Header implements http.ResponseWriter.
func (d discarded) Header() http.Header { return d.header }

// Write implements http.ResponseWriter.
func (d discarded) Write(b []byte) (int, error) { return len(b), nil }

// WriteHeader implements http.ResponseWriter.
func (d discarded) WriteHeader(int) {}
