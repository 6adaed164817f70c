package providertest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/provider"
	"livebridge/bridge/simulator"
)

// deliveryTimeout is how long the provider waits for the answer to a callback.
const deliveryTimeout = 20 * time.Second

// validity is how long a signature is valid at least.
const validity = 60

// Delivery is one callback that was sent, or lost.
type Delivery struct {
	// Lane, Event and Name are what was reported, see simulator.Callback.Name; Session is the push's publish_timestamp,
	// a Unix second.
	Lane        bridge.Lane
	Event, Name string
	Session     int64
	// URL is where it went.
	URL string
	// Again: it was sent before.
	Again bool
	// Lost: it was not sent, see Lose.
	Lost bool
	// Status is the answer; 0 and Err: there was none.
	Status int
	Err    error
}

// deliver sends one callback, if one is registered for it.
func (p *Provider) deliver(ctx context.Context, r *running, c simulator.Callback) (done []Delivery) {
	registered, found := p.find(c.Kind, c.Domain, c.App)
	if !found || c.Kind == bridge.KindRecord && !slices.Contains(registered.Events, c.Event) {
		return nil
	}
	header, body, base, err := p.encode(registered, r, &c)
	d := Delivery{Lane: c.Lane(), Event: c.Event, Name: c.Name(base), Session: base + c.Session,
		URL: registered.URL, Err: err}
	p.mu.Lock()
	lost := p.lost
	p.mu.Unlock()
	if d.Lost = lost != nil && lost(d); d.Lost || err != nil {
		return []Delivery{d}
	}
	d.Status, d.Err = p.post(ctx, d.URL, header, body)
	done = append(done, d)
	if r.Repeat {
		d.Again = true
		d.Status, d.Err = p.post(ctx, d.URL, header, body)
		done = append(done, d)
	}
	return done
}

// encode encodes and signs a callback under the key that is registered now. Every signature of a stream expires at
// another second, so that no two of its callbacks share one.
func (p *Provider) encode(
	registered provider.Callback, r *running, c *simulator.Callback,
) (header http.Header, body []byte, base int64, err error) {
	key := registered.Key.Reveal()
	keys := simulator.Keys{Stream: key, Record: key, RTC: key, RecordScheme: bridge.SchemeHMAC}
	if registered.SignType == provider.SignMD5 {
		keys.RecordScheme = bridge.SchemeMD5
	}
	now := p.config.Now()
	p.mu.Lock()
	base = p.numbersOf(stream{r.Domain, r.App, r.Stream}, now).base
	n := p.numbersOf(stream{r.Domain, r.App, c.Stream}, now)
	n.expiry = max(n.expiry+1, now.Unix()+validity)
	c.Offset = n.expiry - now.Unix() - validity
	p.mu.Unlock()
	header, body, err = simulator.Encode(c, keys, now, base)
	return header, body, base, err
}

// post returns the status of the answer.
func (p *Provider) post(ctx context.Context, url string, header http.Header, body []byte) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header = header
	response, err := p.client.Do(r)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, errors.Join(err, response.Body.Close())
}

// onlineNow returns the streams that match, by name.
func (p *Provider) onlineNow(match func(stream) bool) []onlineBody {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]onlineBody, 0, len(p.online))
	for s, r := range p.online {
		if match(s) {
			all = append(all, onlineBody{s.domain, s.app, s.name, "H264", "AAC", "192.0.2.1",
				r.started.Format(time.RFC3339)})
		}
	}
	slices.SortFunc(all, func(a, b onlineBody) int {
		return cmp.Or(cmp.Compare(a.Domain, b.Domain), cmp.Compare(a.App, b.App), cmp.Compare(a.Stream, b.Stream))
	})
	return all
}
