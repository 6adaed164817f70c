package provider

import (
	"context"
	"strings"

	live "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/live/v1"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/live/v1/model"

	"livebridge/bridge"
)

// recordService is the recording callbacks of Live.
type recordService struct{ c *Client }

func (s recordService) list(ctx context.Context, q Query) ([]Callback, error) {
	return pages(func(offset, limit int32) ([]Callback, int, error) {
		request := &model.ListRecordCallbackConfigsRequest{
			PublishDomain: optional(q.Domain), App: optional(q.App), Offset: &offset, Limit: &limit,
		}
		var page []Callback
		total := 0
		err := s.c.live(ctx, "list "+q.String(), func(l *live.LiveClient) error {
			answer, err := l.ListRecordCallbackConfigs(request)
			if err != nil {
				return err
			}
			total = int(value(answer.Total))
			for _, r := range value(answer.CallbackConfig) {
				page = append(page, registeredRecord(r))
			}
			return nil
		})
		return page, total, err
	})
}

// registeredRecord reads one configuration. The provider never tells its key.
func registeredRecord(r model.RecordCallbackConfig) Callback {
	c := Callback{
		Place: Place{Kind: bridge.KindRecord, Domain: strings.ToLower(r.PublishDomain), App: foldApp(r.App)},
		ID:    value(r.Id), URL: value(r.NotifyCallbackUrl), KeyHidden: true,
		Created: value(r.CreateTime), Updated: value(r.UpdateTime),
	}
	if r.SignType != nil {
		c.SignType = SignType(r.SignType.Value())
	}
	for _, event := range value(r.NotifyEventSubscription) {
		c.Events = append(c.Events, event.Value())
	}
	return c
}

func (s recordService) create(ctx context.Context, c Callback) (Callback, error) {
	request := &model.CreateRecordCallbackConfigRequest{Body: recordRequest(c)}
	err := s.c.live(ctx, "create "+c.Place.String(), func(l *live.LiveClient) error {
		answer, err := l.CreateRecordCallbackConfig(request)
		if err == nil {
			c.ID, c.Created = value(answer.Id), value(answer.CreateTime)
		}
		return err
	}, c.Key)
	return c, err
}

func (s recordService) update(ctx context.Context, c Callback) (Callback, error) {
	op := "update " + c.Place.String()
	if c.ID == "" {
		return c, &Error{Op: op, Message: "no id is given", Advice: "take it from a list of what is registered"}
	}
	request := &model.UpdateRecordCallbackConfigRequest{Id: c.ID, Body: recordRequest(c)}
	err := s.c.live(ctx, op, func(l *live.LiveClient) error {
		answer, err := l.UpdateRecordCallbackConfig(request)
		if err == nil {
			c.Updated = value(answer.UpdateTime)
		}
		return err
	}, c.Key)
	return c, err
}

func recordRequest(c Callback) *model.RecordCallbackConfigRequest {
	events := make([]model.RecordCallbackConfigRequestNotifyEventSubscription, 0, len(c.Events))
	for _, event := range c.Events {
		events = append(events, *enum[model.RecordCallbackConfigRequestNotifyEventSubscription](event))
	}
	return &model.RecordCallbackConfigRequest{
		PublishDomain: c.Domain, App: c.App, NotifyCallbackUrl: &c.URL, NotifyEventSubscription: &events,
		SignType: enum[model.RecordCallbackConfigRequestSignType](string(c.SignType)), Key: optional(c.Key.Reveal()),
	}
}

func (s recordService) remove(ctx context.Context, c Callback) error {
	op := "delete " + c.Place.String()
	if c.ID == "" {
		return &Error{Op: op, Message: "no id is given", Advice: "take it from a list of what is registered"}
	}
	return s.c.live(ctx, op, func(l *live.LiveClient) error {
		_, err := l.DeleteRecordCallbackConfig(&model.DeleteRecordCallbackConfigRequest{Id: c.ID})
		return err
	})
}
