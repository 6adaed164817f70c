package main

import (
	"regexp"

	"livebridge/bridge/callback"
	"livebridge/bridge/certificate"
	"livebridge/bridge/ingress"
)

// ingressConfig returns the configuration of the callback server, without TLS.
func (s *settings) ingressConfig() ingress.Config {
	c := ingress.DefaultConfig()
	c.PathPrefix, c.SnapshotToken, c.DomainsListed = s.PathPrefix, s.SnapshotToken, len(s.Domains) > 0
	c.MaxBody, c.MaxConnections = int64(s.MaxBody), s.MaxConnections
	c.TrustedProxies, c.AllowSources = prefixesOf(s.TrustedProxies), prefixesOf(s.AllowSources)
	c.Policy = callback.Policy{UserArgs: s.UserArgs, ClientIP: s.ClientIP}
	if s.IgnoreStreams != "" {
		c.IgnoreStreams = regexp.MustCompile(s.IgnoreStreams) // cannot fail: settings.check has compiled it
	}
	return c
}

// certificate returns the options of the server's certificate.
func (s *settings) certificate() certificate.Options {
	return certificate.Options{CertFile: s.TLSCertFile, KeyFile: s.TLSKeyFile, ClientCAFile: s.TLSClientCAFile}
}
