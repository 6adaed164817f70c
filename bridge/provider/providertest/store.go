package providertest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/provider"
)

// sorted returns the callbacks that match, in the order of their places. The caller holds the lock.
func (p *Provider) sorted(match func(provider.Callback) bool) []provider.Callback {
	var all []provider.Callback
	for _, c := range p.registered {
		if match(c) {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b provider.Callback) int { return a.Compare(b.Place) })
	return all
}

// otherWildcard is the wildcard as the provider's example has it. It is kept as it was sent.
const otherWildcard = "**"

// find returns the callback that is registered for a stream of this app: that of the app before that of every app.
func (p *Provider) find(kind bridge.Kind, domain, app string) (provider.Callback, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	places := []provider.Place{
		{Kind: kind, Domain: domain, App: app}, {Kind: kind, Domain: domain, App: provider.Wildcard},
		{Kind: kind, Domain: domain, App: otherWildcard},
	}
	switch kind {
	case bridge.KindStream:
		places = []provider.Place{{Kind: kind, Domain: domain}}
	case bridge.KindRTCRecord:
		places = []provider.Place{{Kind: kind, App: domain}} // an RTC lane's domain is the app's id
	}
	for _, place := range places {
		if c, found := p.registered[place]; found && c.URL != "" {
			return c, true
		}
	}
	return provider.Callback{}, false
}

// Register registers a callback as it is, as the provider's console does.
func (p *Provider) Register(c provider.Callback) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.Kind == bridge.KindRecord {
		c.ID = p.newID()
	}
	p.put(c)
}

// put registers a callback. The caller holds the lock.
func (p *Provider) put(c provider.Callback) provider.Callback {
	now := p.config.Now().UTC().Format(time.RFC3339)
	if old, found := p.registered[c.Place]; found {
		c.Created = old.Created
	} else {
		c.Created = now
	}
	c.Updated = now
	p.registered[c.Place] = c
	return c
}

// newID returns the id of a new recording callback. The caller holds the lock.
func (p *Provider) newID() string {
	p.ids++
	return fmt.Sprintf("%032x", p.ids)
}

// checkDomain reports a domain that is not one of the account's.
func (p *Provider) checkDomain(domain, parameter string) error {
	if domain == "" || len(p.config.Domains) > 0 && !slices.Contains(p.config.Domains, domain) {
		return invalid(parameter)
	}
	return nil
}

// decode reads a request's body.
func decode(r *http.Request, body any) error {
	if err := json.NewDecoder(r.Body).Decode(body); err != nil {
		return refusal{http.StatusBadRequest, "LIVE.100011001", "Request Illegal"}
	}
	return nil
}

// page returns the part of all that a request asks for with offset and limit.
func page[T any](r *http.Request, all []T) ([]T, error) {
	offset, limit := 0, 10
	for name, number := range map[string]*int{"offset": &offset, "limit": &limit} {
		text := r.FormValue(name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || name == "limit" && (n < 1 || n > 100) {
			return nil, invalid(name)
		}
		*number = n
	}
	offset = min(offset, len(all))
	return all[offset:min(offset+limit, len(all))], nil
}
