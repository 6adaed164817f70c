package provider

import (
	"context"
	"strings"
	"time"

	live "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/live/v1"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/live/v1/model"
)

// Stream is a stream that is being pushed now. Its domain is in lower case.
type Stream struct {
	Domain, App, Name string
	// Started is when the push began by the provider's clock, in whole seconds; zero if the provider did not say.
	Started time.Time
}

// Online returns the streams of a domain that are being pushed now; app may be empty for all. Failures are *Error.
func (c *Client) Online(ctx context.Context, domain, app string) ([]Stream, error) {
	op := "list streams online " + domain
	return pages(func(offset, limit int32) ([]Stream, int, error) {
		request := &model.ListLiveStreamsOnlineRequest{
			PublishDomain: domain, App: optional(app), Offset: &offset, Limit: &limit,
		}
		var page []Stream
		total := 0
		err := c.live(ctx, op, func(l *live.LiveClient) error {
			answer, err := l.ListLiveStreamsOnline(request)
			if err != nil {
				return err
			}
			total = int(value(answer.TotalNum))
			for _, s := range value(answer.Streams) {
				started, _ := time.Parse(time.RFC3339, s.StartTime) // zero without a time
				page = append(page, Stream{
					Domain: strings.ToLower(s.PublishDomain), App: s.App, Name: s.Stream, Started: started,
				})
			}
			return nil
		})
		return page, total, err
	})
}
