package provider

import (
	"context"
	"net/http"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/region"
	rtc "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/cloudrtc/v2"
	rtcregion "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/cloudrtc/v2/region"
	live "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/live/v1"
	liveregion "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/live/v1/region"
)

// live runs one request of the Live API. keys are masked in what the provider answers.
func (c *Client) live(ctx context.Context, op string, request func(*live.LiveClient) error, keys ...Key) error {
	build := func(ctx context.Context) (*core.HcHttpClient, error) {
		return c.build(ctx, live.LiveClientBuilder(), liveregion.SafeValueOf)
	}
	return c.call(ctx, op, build, func(h *core.HcHttpClient) error { return request(live.NewLiveClient(h)) }, keys)
}

// rtc runs one request of the SparkRTC API.
func (c *Client) rtc(ctx context.Context, op string, request func(*rtc.CloudRTCClient) error, keys ...Key) error {
	build := func(ctx context.Context) (*core.HcHttpClient, error) {
		return c.build(ctx, rtc.CloudRTCClientBuilder(), rtcregion.SafeValueOf)
	}
	return c.call(ctx, op, build, func(h *core.HcHttpClient) error { return request(rtc.NewCloudRTCClient(h)) }, keys)
}

func (c *Client) call(
	ctx context.Context, op string, build func(context.Context) (*core.HcHttpClient, error),
	request func(*core.HcHttpClient) error, keys []Key,
) error {
	if err := c.wait(ctx); err != nil {
		return c.explain(ctx, op, err, keys)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	h, err := build(ctx)
	if err == nil {
		err = request(h)
	}
	return c.explain(ctx, op, err, keys)
}

// wait waits until the limit allows another request.
func (c *Client) wait(ctx context.Context) error {
	if c.config.Limit == nil {
		return nil
	}
	return c.config.Limit.Wait(ctx)
}

// build returns the SDK's client for one request, since the SDK has no contexts: this one's requests end with ctx.
func (c *Client) build(
	ctx context.Context, b *core.HcHttpClientBuilder, find func(string) (*region.Region, error),
) (*core.HcHttpClient, error) {
	h := config.DefaultHttpConfig().WithTimeout(0) // ctx has one
	h.RoundTripper, h.UserAgent = boundTransport{ctx, c.transport}, "livebridge"
	b = b.WithCredential(c.credentials).WithHttpConfig(h)
	if c.config.Endpoint != "" {
		return b.WithEndpoint(c.config.Endpoint).SafeBuild()
	}
	r, err := find(c.config.Region)
	if err != nil {
		return nil, &regionError{c.config.Region, err}
	}
	return b.WithRegion(r).SafeBuild()
}

// boundTransport sends requests under a context of its own.
type boundTransport struct {
	ctx  context.Context
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t boundTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	return t.next.RoundTrip(r.WithContext(t.ctx))
}

// regionError is a region that the SDK does not know for a service.
type regionError struct {
	region string
	cause  error
}

// Error returns the SDK's text, which lists the service's regions.
func (e *regionError) Error() string { return e.cause.Error() }
