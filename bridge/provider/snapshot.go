package provider

import (
	"context"
	"strings"

	live "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/live/v1"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/live/v1/model"

	"livebridge/bridge"
)

// snapshotService is the callbacks of snapshots. The provider keeps them with what it needs to take the pictures.
type snapshotService struct{ c *Client }

// The values of call_back_enable.
const (
	callbackOn  = "on"
	callbackOff = "off"
)

func (s snapshotService) list(ctx context.Context, q Query) ([]Callback, error) {
	op := "list " + q.String()
	if q.Domain == "" {
		return nil, &Error{Op: op, Message: "no domain is given", Advice: "snapshots are listed for one domain: name it"}
	}
	return pages(func(offset, limit int32) ([]Callback, int, error) {
		request := &model.ListSnapshotConfigsRequest{
			Domain: q.Domain, AppName: optional(q.App), Offset: &offset, Limit: &limit,
		}
		var page []Callback
		total := 0
		err := s.c.live(ctx, op, func(l *live.LiveClient) error {
			answer, err := l.ListSnapshotConfigs(request)
			if err != nil {
				return err
			}
			total = int(value(answer.Total))
			for _, r := range value(answer.SnapshotConfigList) {
				page = append(page, registeredSnapshot(r))
			}
			return nil
		})
		return page, total, err
	})
}

func registeredSnapshot(r model.LiveSnapshotConfig) Callback {
	c := Callback{
		Place: Place{Kind: bridge.KindSnapshot, Domain: strings.ToLower(r.Domain), App: foldApp(r.AppName)},
		URL:   value(r.CallBackUrl), Key: Key(value(r.AuthKey)),
		Pictures: &Pictures{Interval: int(r.TimeInterval), Overwrite: r.ObjectWriteMode == 1, Extra: extra(r)},
	}
	if r.CallBackEnable == nil || r.CallBackEnable.Value() != callbackOn {
		c.URL = ""
	}
	if r.ObsLocation != nil {
		c.Pictures.Bucket, c.Pictures.Location = r.ObsLocation.Bucket, r.ObsLocation.Location
		c.Pictures.Object = value(r.ObsLocation.Object)
	}
	return c
}

// The names of Pictures.Extra, which are the provider's.
const (
	extraMode     = "snapshot_mode"
	extraFormat   = "image_object_format"
	extraProtocol = "image_access_protocol"
	extraDomain   = "image_access_domain"
)

// extra returns the settings without a field of their own, nil if there are none.
func extra(r model.LiveSnapshotConfig) map[string]string {
	var mode, protocol string
	if r.SnapshotMode != nil {
		mode = r.SnapshotMode.Value()
	}
	if r.ImageAccessProtocol != nil {
		protocol = r.ImageAccessProtocol.Value()
	}
	return extras(mode, value(r.ImageObjectFormat), protocol, value(r.ImageAccessDomain))
}

func (s snapshotService) create(ctx context.Context, c Callback) (Callback, error) {
	request := &model.CreateSnapshotConfigRequest{Body: snapshotRequest(c, callbackOn)}
	return c, s.c.live(ctx, "create "+c.Place.String(), func(l *live.LiveClient) error {
		_, err := l.CreateSnapshotConfig(request)
		return err
	}, c.Key)
}

func (s snapshotService) update(ctx context.Context, c Callback) (Callback, error) {
	return c, s.put(ctx, "update ", c, callbackOn)
}

func (s snapshotService) put(ctx context.Context, op string, c Callback, enable string) error {
	request := &model.UpdateSnapshotConfigRequest{Body: snapshotRequest(c, enable)}
	return s.c.live(ctx, op+c.Place.String(), func(l *live.LiveClient) error {
		_, err := l.UpdateSnapshotConfig(request)
		return err
	}, c.Key)
}

func snapshotRequest(c Callback, enable string) *model.LiveSnapshotConfig {
	p, mode := c.Pictures, int32(0)
	if p.Overwrite {
		mode = 1
	}
	return &model.LiveSnapshotConfig{
		Domain: c.Domain, AppName: c.App, AuthKey: optional(c.Key.Reveal()), TimeInterval: int32(p.Interval),
		ObjectWriteMode: mode, CallBackUrl: optional(c.URL),
		ObsLocation:    &model.ObsFileAddr{Bucket: p.Bucket, Location: p.Location, Object: optional(p.Object)},
		CallBackEnable: enum[model.LiveSnapshotConfigCallBackEnable](enable),
		SnapshotMode:   enum[model.LiveSnapshotConfigSnapshotMode](p.Extra[extraMode]),

		ImageObjectFormat:   optional(p.Extra[extraFormat]),
		ImageAccessProtocol: enum[model.LiveSnapshotConfigImageAccessProtocol](p.Extra[extraProtocol]),
		ImageAccessDomain:   optional(p.Extra[extraDomain]),
	}
}

// remove switches the callback off; the pictures are the user's and are taken as before. Its settings are read first,
// since an update replaces them all.
func (s snapshotService) remove(ctx context.Context, c Callback) error {
	op := "delete " + c.Place.String()
	all, err := s.list(ctx, Query{Kind: c.Kind, Domain: c.Domain, App: c.App})
	if err != nil {
		return err
	}
	for _, registered := range all {
		if registered.Place == c.Place {
			return s.put(ctx, "delete ", registered, callbackOff)
		}
	}
	return &Error{Op: op, Message: "no snapshots are configured for it", Advice: advice(404, "")}
}
