package providertest

import (
	"net/http"

	"livebridge/bridge"
	"livebridge/bridge/provider"
)

// streamBody is a stream status callback in requests and answers.
type streamBody struct {
	URL  string `json:"url,omitempty"`
	Key  string `json:"auth_sign_key,omitempty"`
	Area string `json:"call_back_area,omitempty"`
}

// streamPlace returns the place that a request's query names.
func (p *Provider) streamPlace(r *http.Request) (provider.Place, error) {
	domain := r.FormValue("domain")
	return provider.Place{Kind: bridge.KindStream, Domain: domain}, p.checkDomain(domain, "domain")
}

// showStream answers with an empty object when nothing is registered.
func (p *Provider) showStream(r *http.Request) (int, any, error) {
	place, err := p.streamPlace(r)
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.registered[place]
	return http.StatusOK, streamBody{c.URL, c.Key.Reveal(), string(c.Area)}, err
}

func (p *Provider) setStream(r *http.Request) (int, any, error) {
	place, err := p.streamPlace(r)
	if err != nil {
		return 0, nil, err
	}
	var b streamBody
	if err := decode(r, &b); err != nil {
		return 0, nil, err
	}
	if b.URL == "" {
		return 0, nil, invalid("url")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.put(provider.Callback{Place: place, URL: b.URL, Key: provider.Key(b.Key), Area: provider.Area(b.Area)})
	return http.StatusNoContent, nil, nil
}

func (p *Provider) deleteStream(r *http.Request) (int, any, error) {
	place, err := p.streamPlace(r)
	if err != nil {
		return 0, nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.registered, place)
	return http.StatusNoContent, nil, nil
}
