package providertest

import (
	"net/http"
	"slices"

	"livebridge/bridge"
	"livebridge/bridge/provider"
)

// recordBody is a recording callback in requests and answers.
type recordBody struct {
	ID       string   `json:"id,omitempty"`
	Domain   string   `json:"publish_domain"`
	App      string   `json:"app"`
	URL      string   `json:"notify_callback_url,omitempty"`
	Events   []string `json:"notify_event_subscription,omitempty"`
	SignType string   `json:"sign_type,omitempty"`
	Key      string   `json:"key,omitempty"` // in requests alone
	Created  string   `json:"create_time,omitempty"`
	Updated  string   `json:"update_time,omitempty"`
}

// answered returns a callback as the API shows it: without its key.
func answered(c provider.Callback) recordBody {
	return recordBody{ID: c.ID, Domain: c.Domain, App: c.App, URL: c.URL, Events: c.Events,
		SignType: string(c.SignType), Created: c.Created, Updated: c.Updated}
}

// readRecord reads a callback from a request, with the API's defaults.
func (p *Provider) readRecord(r *http.Request) (provider.Callback, error) {
	var b recordBody
	if err := decode(r, &b); err != nil {
		return provider.Callback{}, err
	}
	if len(b.Events) == 0 {
		b.Events = []string{"RECORD_FILE_COMPLETE"}
	}
	if b.SignType == "" {
		b.SignType = string(provider.SignHMAC)
	}
	c := provider.Callback{
		Place: provider.Place{Kind: bridge.KindRecord, Domain: b.Domain, App: b.App},
		URL:   b.URL, Events: b.Events, SignType: provider.SignType(b.SignType), Key: provider.Key(b.Key),
	}
	if err := p.checkDomain(b.Domain, "publish_domain"); err != nil {
		return c, err
	}
	return c, checkRecord(c)
}

func checkRecord(c provider.Callback) error {
	switch {
	case c.App == "":
		return invalid("app")
	case c.SignType != provider.SignHMAC && c.SignType != provider.SignMD5:
		return invalid("sign_type")
	case slices.ContainsFunc(c.Events, func(e string) bool { return !slices.Contains(provider.RecordEvents(), e) }):
		return invalid("notify_event_subscription")
	}
	return nil
}

func (p *Provider) createRecord(r *http.Request) (int, any, error) {
	c, err := p.readRecord(r)
	if err != nil {
		return 0, nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, found := p.registered[c.Place]; found {
		return 0, nil, refusal{http.StatusBadRequest, "LIVE.103011003", "The record callback config already exists"}
	}
	c.ID = p.newID()
	return http.StatusCreated, answered(p.put(c)), nil
}

func (p *Provider) listRecords(r *http.Request) (int, any, error) {
	domain, app := r.FormValue("publish_domain"), r.FormValue("app")
	p.mu.Lock()
	all := p.sorted(func(c provider.Callback) bool {
		return c.Kind == bridge.KindRecord && (domain == "" || c.Domain == domain) && (app == "" || c.App == app)
	})
	p.mu.Unlock()
	shown, err := page(r, all)
	if err != nil {
		return 0, nil, err
	}
	list := make([]recordBody, 0, len(shown))
	for _, c := range shown {
		list = append(list, answered(c))
	}
	return http.StatusOK, map[string]any{"total": len(all), "callback_config": list}, nil
}

// byID returns the callback that a request's path names. The caller holds the lock.
func (p *Provider) byID(r *http.Request) (provider.Callback, error) {
	found := p.sorted(func(c provider.Callback) bool {
		return c.Kind == bridge.KindRecord && c.ID == r.PathValue("id")
	})
	if len(found) == 0 {
		return provider.Callback{}, missing()
	}
	return found[0], nil
}

func (p *Provider) showRecord(r *http.Request) (int, any, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c, err := p.byID(r)
	return http.StatusOK, answered(c), err
}

func (p *Provider) updateRecord(r *http.Request) (int, any, error) {
	c, err := p.readRecord(r)
	if err != nil {
		return 0, nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	old, err := p.byID(r)
	if err != nil {
		return 0, nil, err
	}
	if other, found := p.registered[c.Place]; found && other.ID != old.ID {
		return 0, nil, refusal{http.StatusBadRequest, "LIVE.103011003", "The record callback config already exists"}
	}
	delete(p.registered, old.Place)
	c.ID = old.ID
	return http.StatusOK, answered(p.put(c)), nil
}

func (p *Provider) deleteRecord(r *http.Request) (int, any, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c, err := p.byID(r)
	if err != nil {
		return 0, nil, err
	}
	delete(p.registered, c.Place)
	return http.StatusNoContent, nil, nil
}
