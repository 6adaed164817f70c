package provider

import (
	"context"
	"errors"
	"net/http"

	live "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/live/v1"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/live/v1/model"

	"livebridge/bridge"
)

// streamService is the stream status callback of a domain. The provider returns its key in clear.
type streamService struct{ c *Client }

// list returns the domain's callback; an answer without a URL, or 404, says that there is none.
func (s streamService) list(ctx context.Context, q Query) ([]Callback, error) {
	op := "list " + q.String()
	if q.Domain == "" {
		return nil, &Error{Op: op, Message: "no domain is given", Advice: "stream status is listed for one domain: name it"}
	}
	c := Callback{Place: Place{Kind: bridge.KindStream, Domain: q.Domain}}
	err := s.c.live(ctx, op, func(l *live.LiveClient) error {
		answer, err := l.ListPublishTemplate(&model.ListPublishTemplateRequest{Domain: q.Domain})
		if err != nil {
			return err
		}
		c.URL, c.Key = value(answer.Url), Key(value(answer.AuthSignKey))
		if answer.CallBackArea != nil {
			c.Area = Area(answer.CallBackArea.Value())
		}
		return nil
	})
	if absent(err) || err == nil && c.URL == "" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []Callback{c}, nil
}

// absent reports whether the provider has answered 404.
func absent(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == http.StatusNotFound
}

func (s streamService) create(ctx context.Context, c Callback) (Callback, error) {
	return s.set(ctx, "create ", c)
}
func (s streamService) update(ctx context.Context, c Callback) (Callback, error) {
	return s.set(ctx, "update ", c)
}

func (s streamService) set(ctx context.Context, op string, c Callback) (Callback, error) {
	request := &model.UpdatePublishTemplateRequest{Domain: c.Domain, Body: &model.CallbackUrl{
		Url: c.URL, AuthSignKey: optional(c.Key.Reveal()),
		CallBackArea: enum[model.CallbackUrlCallBackArea](string(c.Area)),
	}}
	return c, s.c.live(ctx, op+c.Place.String(), func(l *live.LiveClient) error {
		_, err := l.UpdatePublishTemplate(request)
		return err
	}, c.Key)
}

func (s streamService) remove(ctx context.Context, c Callback) error {
	return s.c.live(ctx, "delete "+c.Place.String(), func(l *live.LiveClient) error {
		_, err := l.DeletePublishTemplate(&model.DeletePublishTemplateRequest{Domain: c.Domain})
		return err
	})
}
