package providertest

import (
	"net/http"

	"livebridge/bridge"
	"livebridge/bridge/provider"
)

// rtcBody is a SparkRTC recording callback in requests and answers.
type rtcBody struct {
	URL     string `json:"url"`
	Key     string `json:"auth_key,omitempty"`
	Updated string `json:"update_time,omitempty"`
}

// showRTC answers 404 when nothing is registered.
func (p *Provider) showRTC(r *http.Request) (int, any, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c, found := p.registered[provider.Place{Kind: bridge.KindRTCRecord, App: r.PathValue("app")}]
	if !found {
		return 0, nil, refusal{http.StatusNotFound, "RTC.00001003", "InvalidParameterValue"}
	}
	return http.StatusOK, rtcAnswer(c), nil
}

func rtcAnswer(c provider.Callback) any {
	return map[string]any{"app_id": c.App, "record_callback": rtcBody{c.URL, c.Key.Reveal(), c.Updated}}
}

func (p *Provider) setRTC(r *http.Request) (int, any, error) {
	var b rtcBody
	if err := decode(r, &b); err != nil {
		return 0, nil, err
	}
	if b.URL == "" {
		return 0, nil, invalid("url")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.put(provider.Callback{
		Place: provider.Place{Kind: bridge.KindRTCRecord, App: r.PathValue("app")}, URL: b.URL, Key: provider.Key(b.Key),
	})
	return http.StatusOK, rtcAnswer(c), nil
}
