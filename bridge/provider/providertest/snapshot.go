package providertest

import (
	"net/http"

	"livebridge/bridge"
	"livebridge/bridge/provider"
)

// snapshotBody is a snapshot configuration in requests and answers.
type snapshotBody struct {
	Domain   string `json:"domain"`
	App      string `json:"app_name"`
	Key      string `json:"auth_key,omitempty"`
	Interval int    `json:"time_interval"`
	Mode     int    `json:"object_write_mode"`
	Picking  string `json:"snapshot_mode,omitempty"`
	Location struct {
		Bucket   string `json:"bucket"`
		Location string `json:"location"`
		Object   string `json:"object,omitempty"`
	} `json:"obs_location"`
	Enable   string `json:"call_back_enable,omitempty"`
	URL      string `json:"call_back_url,omitempty"`
	Format   string `json:"image_object_format,omitempty"`
	Protocol string `json:"image_access_protocol,omitempty"`
	Host     string `json:"image_access_domain,omitempty"`
}

// shown returns a configuration as the API shows it.
func shown(c provider.Callback) snapshotBody {
	b := snapshotBody{Domain: c.Domain, App: c.App, Key: c.Key.Reveal(), Interval: c.Pictures.Interval, URL: c.URL,
		Enable: "off", Picking: c.Pictures.Extra["snapshot_mode"], Format: c.Pictures.Extra["image_object_format"],
		Protocol: c.Pictures.Extra["image_access_protocol"], Host: c.Pictures.Extra["image_access_domain"]}
	if c.URL != "" {
		b.Enable = "on"
	}
	if c.Pictures.Overwrite {
		b.Mode = 1
	}
	b.Location.Bucket, b.Location.Location = c.Pictures.Bucket, c.Pictures.Location
	b.Location.Object = c.Pictures.Object
	return b
}

// readSnapshot reads a configuration from a request. Without its callback it has no URL.
func (p *Provider) readSnapshot(r *http.Request) (provider.Callback, error) {
	var b snapshotBody
	if err := decode(r, &b); err != nil {
		return provider.Callback{}, err
	}
	if err := p.checkDomain(b.Domain, "domain"); err != nil {
		return provider.Callback{}, err
	}
	switch {
	case b.App == "":
		return provider.Callback{}, invalid("app_name")
	case b.Interval < 5 || b.Interval > 3600:
		return provider.Callback{}, invalid("time_interval")
	case b.Location.Bucket == "" || b.Location.Location == "":
		return provider.Callback{}, invalid("obs_location")
	}
	c := provider.Callback{
		Place: provider.Place{Kind: bridge.KindSnapshot, Domain: b.Domain, App: b.App}, Key: provider.Key(b.Key),
		Pictures: &provider.Pictures{Interval: b.Interval, Overwrite: b.Mode == 1, Bucket: b.Location.Bucket,
			Location: b.Location.Location, Object: b.Location.Object, Extra: map[string]string{
				"snapshot_mode": b.Picking, "image_object_format": b.Format,
				"image_access_protocol": b.Protocol, "image_access_domain": b.Host,
			}},
	}
	if b.Enable == "on" {
		c.URL = b.URL
	}
	return c, nil
}

func (p *Provider) createSnapshot(r *http.Request) (int, any, error) {
	c, err := p.readSnapshot(r)
	if err != nil {
		return 0, nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, found := p.registered[c.Place]; found {
		return 0, nil, refusal{http.StatusBadRequest, "LIVE.103011003", "The snapshot config already exists"}
	}
	p.put(c)
	return http.StatusCreated, nil, nil
}

func (p *Provider) listSnapshots(r *http.Request) (int, any, error) {
	domain, app := r.FormValue("domain"), r.FormValue("app_name")
	if err := p.checkDomain(domain, "domain"); err != nil {
		return 0, nil, err
	}
	p.mu.Lock()
	all := p.sorted(func(c provider.Callback) bool {
		return c.Kind == bridge.KindSnapshot && c.Domain == domain && (app == "" || c.App == app)
	})
	p.mu.Unlock()
	part, err := page(r, all)
	if err != nil {
		return 0, nil, err
	}
	list := make([]snapshotBody, 0, len(part))
	for _, c := range part {
		list = append(list, shown(c))
	}
	return http.StatusOK, map[string]any{"total": len(all), "snapshot_config_list": list}, nil
}

func (p *Provider) updateSnapshot(r *http.Request) (int, any, error) {
	c, err := p.readSnapshot(r)
	if err != nil {
		return 0, nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, found := p.registered[c.Place]; !found {
		return 0, nil, missing()
	}
	p.put(c)
	return http.StatusNoContent, nil, nil
}

func (p *Provider) deleteSnapshot(r *http.Request) (int, any, error) {
	place := provider.Place{Kind: bridge.KindSnapshot, Domain: r.FormValue("domain"), App: r.FormValue("app_name")}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, found := p.registered[place]; !found {
		return 0, nil, missing()
	}
	delete(p.registered, place)
	return http.StatusNoContent, nil, nil
}
