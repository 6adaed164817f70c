package provider_test

import (
	"context"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"livebridge/bridge/provider"
)

// TestLimit: a request that the limit does not allow is not sent.
func TestLimit(t *testing.T) {
	p, url := emulate(t)
	c, err := provider.Open(provider.Config{Endpoint: url, Limit: rate.NewLimiter(rate.Every(time.Hour), 1)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Online(t.Context(), domain, ""); err != nil {
		t.Error(err)
	}
	ended, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := c.Online(ended, domain, ""); err == nil {
		t.Error("sent at once")
	}
	if n := p.Requests(); n != 1 {
		t.Errorf("%d requests", n)
	}
}
