package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"livebridge/bridge/filewatch"
	"livebridge/bridge/keyring"
)

// The statuses of a check.
const (
	checkOK      = "ok"
	checkWarning = "warning"
	checkFailed  = "failed"
)

// checkResult is the result of one check.
type checkResult struct {
	Name   string `json:"name"`
	Status string `json:"status"`
	Detail string `json:"detail"`
}

func passed(name, format string, args ...any) checkResult {
	return checkResult{name, checkOK, fmt.Sprintf(format, args...)}
}

func warned(name, format string, args ...any) checkResult {
	return checkResult{name, checkWarning, fmt.Sprintf(format, args...)}
}

func failed(name string, err error) checkResult {
	return checkResult{name, checkFailed, strings.ReplaceAll(err.Error(), "\n", "; ")}
}

// failedChecks returns an error if a check has failed.
func failedChecks(all []checkResult) error {
	var names []string
	for _, r := range all {
		if r.Status == checkFailed {
			names = append(names, r.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return fmt.Errorf("checks failed: %s", strings.Join(names, ", "))
}

// tryAll tries valid settings. It changes nothing.
func (s *settings) tryAll(ctx context.Context, vars map[string]string) (all []checkResult) {
	all = append(all, s.tryKeys(vars)...)
	all = append(all, s.tryCertificate()...)
	all = append(all, s.tryDisk()...)
	all = append(all, tryClock())
	return append(all, s.transport().probe(ctx)...)
}

// tryKeys checks the keys and other secrets.
func (s *settings) tryKeys(vars map[string]string) (all []checkResult) {
	keys, err := keyring.Open(keyring.Options{Config: s.signatures(), Files: s.keyFiles})
	if err != nil {
		return []checkResult{failed("keys", err)}
	}
	var ids []string
	for _, k := range keys.Ring().Keys() {
		ids = append(ids, fmt.Sprintf("%v %s", k.Kind, k.ID))
	}
	if len(ids) == 0 {
		all = append(all, warned("keys", "none: callbacks are not verified by a signature"))
	} else {
		all = append(all, passed("keys", "%s", strings.Join(ids, ", ")))
	}
	for _, k := range keys.SuspectKeys() {
		all = append(all, warned("keys", "%s: the key %s %s", k.Setting, k.Key, k.Problem))
	}
	for _, name := range worldReadable(vars) {
		all = append(all, warned("secrets", "%s: %s is world-readable", name, vars[name]))
	}
	for _, name := range s.quotedSecrets() {
		all = append(all, warned("secrets", "%s%s is in quotes, which are part of the value", prefix, name))
	}
	return all
}

// certificateNotice is how long before its end a certificate gets a warning.
const certificateNotice = 30 * 24 * time.Hour

// tryCertificate checks the end of the server's certificate. That it matches its key is checked with the settings.
func (s *settings) tryCertificate() []checkResult {
	if s.TLSCertFile == "" {
		return nil
	}
	content, err := filewatch.Read(s.TLSCertFile)
	if err != nil {
		return []checkResult{failed("certificate", err)}
	}
	block, _ := pem.Decode(content)
	if block == nil {
		return []checkResult{failed("certificate", errors.New("no PEM block in "+s.TLSCertFile))}
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return []checkResult{failed("certificate", err)}
	}
	return []checkResult{judgeCertificate(c, time.Now())}
}

func judgeCertificate(c *x509.Certificate, now time.Time) checkResult {
	names := strings.Join(c.DNSNames, ", ")
	switch {
	case now.Before(c.NotBefore):
		return failed("certificate", fmt.Errorf("is valid from %s on", c.NotBefore.Format(time.RFC3339)))
	case now.After(c.NotAfter):
		return failed("certificate", fmt.Errorf("expired at %s", c.NotAfter.Format(time.RFC3339)))
	case c.NotAfter.Sub(now) < certificateNotice:
		return warned("certificate", "for %s expires %s", names, relative(c.NotAfter.Sub(now)))
	}
	return passed("certificate", "for %s expires %s", names, relative(c.NotAfter.Sub(now)))
}

// existing returns the directory, or the nearest one above it that exists.
func existing(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil || !errors.Is(err, os.ErrNotExist) {
			return dir
		}
		parent := parentOf(dir)
		if parent == dir {
			return dir
		}
		dir = parent
	}
}
