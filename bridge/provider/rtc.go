package provider

import (
	"context"

	rtc "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/cloudrtc/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/cloudrtc/v2/model"

	"livebridge/bridge"
)

// rtcService is the recording callback of a SparkRTC app. The provider returns its key in clear.
type rtcService struct{ c *Client }

func (s rtcService) list(ctx context.Context, q Query) ([]Callback, error) {
	op := "list " + q.String()
	if q.App == "" {
		return nil, &Error{Op: op, Message: "no app is given", Advice: "SparkRTC is listed for one app: name its id"}
	}
	c := Callback{Place: Place{Kind: bridge.KindRTCRecord, App: q.App}}
	err := s.c.rtc(ctx, op, func(r *rtc.CloudRTCClient) error {
		answer, err := r.ShowRecordCallback(&model.ShowRecordCallbackRequest{AppId: q.App})
		if err == nil && answer.RecordCallback != nil {
			c.URL, c.Key = value(answer.RecordCallback.Url), Key(value(answer.RecordCallback.AuthKey))
			c.Updated = value(answer.RecordCallback.UpdateTime)
		}
		return err
	})
	if absent(err) || err == nil && c.URL == "" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []Callback{c}, nil
}

func (s rtcService) create(ctx context.Context, c Callback) (Callback, error) {
	return s.set(ctx, "create ", c)
}
func (s rtcService) update(ctx context.Context, c Callback) (Callback, error) {
	return s.set(ctx, "update ", c)
}

func (s rtcService) set(ctx context.Context, op string, c Callback) (Callback, error) {
	request := &model.UpdateRecordCallbackRequest{
		AppId: c.App, Body: &model.AppCallbackUrlReq{Url: c.URL, AuthKey: optional(c.Key.Reveal())},
	}
	err := s.c.rtc(ctx, op+c.Place.String(), func(r *rtc.CloudRTCClient) error {
		answer, err := r.UpdateRecordCallback(request)
		if err == nil && answer.RecordCallback != nil {
			c.Updated = value(answer.RecordCallback.UpdateTime)
		}
		return err
	}, c.Key)
	return c, err
}

func (s rtcService) remove(_ context.Context, c Callback) error {
	return &Error{Op: "delete " + c.Place.String(), Message: "SparkRTC's API cannot delete a recording callback",
		Advice: "remove it on the provider's console, or register another URL"}
}
