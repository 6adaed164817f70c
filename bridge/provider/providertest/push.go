package providertest

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/simulator"
)

// Push is one push of a stream.
type Push struct {
	// Domain, App and Stream are the stream's names.
	Domain, App, Stream string
	// Record: the stream is recorded, into one file.
	Record bool
	// Pictures is how many snapshots are taken of it.
	Pictures int

	// Disorder: the end is reported before the start, and the end of the recording before its file.
	Disorder bool
	// Repeat: every callback is sent twice.
	Repeat bool
	// Twin: every callback is sent once more for the stream's transcoded twin.
	Twin bool
}

// twinSuffix ends the name of a transcoded twin.
const twinSuffix = "_lhd"

// stream identifies a stream.
type stream struct{ domain, app, name string }

// numbers are what a stream counts.
type numbers struct {
	base    int64 // Unix second of its first push
	session int64 // of its last push, in seconds after base
	expiry  int64 // Unix second at which the last signature expires
}

// running is a push that is going on.
type running struct {
	Push
	started time.Time
	session int64
}

// Start begins a push: its stream is online, and the callbacks of its start are sent. A push of the stream that is
// going on is replaced, and its end is never reported.
func (p *Provider) Start(ctx context.Context, push Push) []Delivery {
	key := stream{push.Domain, push.App, push.Stream}
	p.mu.Lock()
	now := p.config.Now()
	n := p.numbersOf(key, now)
	n.session = max(n.session+1, now.Unix()-n.base)
	r := &running{push, time.Unix(n.base+n.session, 0).UTC(), n.session}
	p.online[key] = r
	p.mu.Unlock()

	var done []Delivery
	if !push.Disorder {
		done = p.send(ctx, r, bridge.KindStream, "PUBLISH")
	}
	if push.Record {
		done = append(done, p.send(ctx, r, bridge.KindRecord, "RECORD_START", "RECORD_NEW_FILE_START")...)
	}
	for range push.Pictures {
		done = append(done, p.send(ctx, r, bridge.KindSnapshot, "")...)
	}
	return done
}

// End ends the push of a stream: it is no longer online, and the callbacks of its end are sent.
func (p *Provider) End(ctx context.Context, domain, app, name string) []Delivery {
	key := stream{domain, app, name}
	p.mu.Lock()
	r := p.online[key]
	delete(p.online, key)
	p.mu.Unlock()
	if r == nil {
		return nil
	}
	ends, files := []string{"PUBLISH_DONE"}, []string{"RECORD_FILE_COMPLETE", "RECORD_OVER"}
	if r.Disorder {
		ends, files = []string{"PUBLISH_DONE", "PUBLISH"}, []string{"RECORD_OVER", "RECORD_FILE_COMPLETE"}
	}
	done := p.send(ctx, r, bridge.KindStream, ends...)
	if r.Record {
		done = append(done, p.send(ctx, r, bridge.KindRecord, files...)...)
	}
	return done
}

// RecordRTC plays the recording of a stream in a room of SparkRTC.
func (p *Provider) RecordRTC(ctx context.Context, app, room, name string) []Delivery {
	key := stream{app, room, name}
	p.mu.Lock()
	n := p.numbersOf(key, p.config.Now())
	n.session++
	r := &running{Push{Domain: app, App: room, Stream: name}, p.config.Now(), n.session}
	p.mu.Unlock()
	return p.send(ctx, r, bridge.KindRTCRecord,
		"RECORD_NEW_FILE_START", "RECORD_FILE_COMPLETE", "CLOUD_RECORD_SERVER_OVER")
}

// numbersOf returns a stream's numbers. The caller holds the lock.
func (p *Provider) numbersOf(s stream, now time.Time) *numbers {
	if p.lanes[s] == nil {
		p.lanes[s] = &numbers{base: now.Unix(), session: -1}
	}
	return p.lanes[s]
}

// send sends callbacks of a push, with the repetitions and twins that belong to it.
func (p *Provider) send(ctx context.Context, r *running, kind bridge.Kind, events ...string) (done []Delivery) {
	names := []string{r.Stream}
	if r.Twin {
		names = append(names, r.Stream+twinSuffix)
	}
	for _, event := range events {
		for _, name := range names {
			done = append(done, p.deliver(ctx, r, simulator.Callback{
				Kind: kind, Domain: r.Domain, App: r.App, Stream: name, Event: event, Session: r.session,
			})...)
		}
	}
	return done
}

// Lose makes the provider not send the callbacks for which lost returns true; nil: it sends all.
func (p *Provider) Lose(lost func(Delivery) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lost = lost
}

// onlineBody is a stream in the list of streams that are online.
type onlineBody struct {
	Domain   string `json:"publish_domain"`
	App      string `json:"app"`
	Stream   string `json:"stream"`
	Video    string `json:"video_codec"`
	Audio    string `json:"audio_codec"`
	ClientIP string `json:"client_ip"`
	Started  string `json:"start_time"`
}

func (p *Provider) listOnline(r *http.Request) (int, any, error) {
	domain, app, name := r.FormValue("publish_domain"), r.FormValue("app"), r.FormValue("stream")
	if err := p.checkDomain(domain, "publish_domain"); err != nil {
		return 0, nil, err
	}
	if name != "" && app == "" {
		return 0, nil, invalid("app")
	}
	all := p.onlineNow(func(s stream) bool {
		return s.domain == domain && (app == "" || s.app == app) && (name == "" || s.name == name)
	})
	part, err := page(r, all)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, map[string]any{
		"total_num": len(all), "total_page": 1, "streams": part, "request_id": fmt.Sprint(p.requests.Load()),
	}, nil
}
