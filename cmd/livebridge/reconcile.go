package main

import (
	"context"
	"strings"
	"sync"

	"golang.org/x/time/rate"

	"livebridge/bridge/provider"
	"livebridge/bridge/reconcile"
)

// apiRate is how many requests per second are sent for reconciliation. The provider allows a user 1,000 requests per
// minute for its list of online streams.
const apiRate = 10

// providerConfig returns how the service reaches the provider's API.
func (s *settings) providerConfig() provider.Config {
	return provider.Config{Region: s.ProviderRegion, Project: s.ProviderProject, Endpoint: s.ProviderEndpoint,
		Limit: rate.NewLimiter(apiRate, apiRate)}
}

// reconcileOptions returns the options of reconciliation, without what it reads and where it reports.
func (s *settings) reconcileOptions() reconcile.Options {
	o := reconcile.Options{Interval: s.ReconcileInterval, Grace: s.ReconcileGrace, Domains: lowerCase(s.Domains)}
	if ignored := s.ingressConfig().IgnoreStreams; ignored != nil {
		o.Ignore = ignored.MatchString
	}
	return o
}

func lowerCase(names []string) []string {
	var lower []string
	for _, name := range names {
		lower = append(lower, strings.ToLower(name))
	}
	return lower
}

// checkReconcile rejects reconciliation without what it needs.
func (s *settings) checkReconcile() []error {
	switch {
	case s.ReconcileInterval == 0 && s.ReconcileEvents:
		return []error{settingError("RECONCILE_EVENTS", "set RECONCILE_INTERVAL too, such as 1m",
			"without RECONCILE_INTERVAL nothing is compared")}
	case s.ReconcileInterval == 0:
		return nil
	}
	var errs []error
	if len(s.Domains) == 0 {
		errs = append(errs, settingError("RECONCILE_INTERVAL", "set DOMAINS to the ingest domains",
			"the provider lists the streams of one domain, and DOMAINS is empty"))
	}
	if s.ProviderRegion+s.ProviderEndpoint == "" {
		errs = append(errs, settingError("RECONCILE_INTERVAL",
			"set PROVIDER_REGION to that of the project, such as cn-north-4", "PROVIDER_REGION is empty"))
	}
	return errs
}

// buildReconciler makes the reconciler; it stays nil unless it is configured.
func (a *app) buildReconciler() error {
	if a.settings.ReconcileInterval == 0 {
		return nil
	}
	o := a.settings.reconcileOptions()
	o.Online, o.Sessions, o.Active = &lateClient{config: a.settings.providerConfig()}, a.engine, a.engine.leads
	o.Log, o.Registerer = a.log, a.registry
	if a.settings.ReconcileEvents {
		o.Publish = func(ctx context.Context, d reconcile.Difference) error {
			return a.engine.Append(ctx, reconcile.Arrival(d))
		}
	}
	a.reconciler = reconcile.New(o)
	return nil
}

// reconcile compares until ctx ends, if that is configured.
func (a *app) reconcile(ctx context.Context) {
	if a.reconciler != nil {
		a.reconciler.Run(ctx)
	}
}

// lateClient opens the client of the provider's API when it is first needed, and again until it succeeds: the
// credentials of an agency come from the network, and the service does not depend on them.
type lateClient struct {
	config provider.Config
	mu     sync.Mutex
	client *provider.Client
}

// Online implements reconcile.Online.
func (c *lateClient) Online(ctx context.Context, domain, app string) ([]provider.Stream, error) {
	client, err := c.open()
	if err != nil {
		return nil, err
	}
	return client.Online(ctx, domain, app)
}

func (c *lateClient) open() (client *provider.Client, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.client == nil {
		if c.client, err = provider.Open(c.config); err != nil {
			return nil, err
		}
	}
	return c.client, nil
}
