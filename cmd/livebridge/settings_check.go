package main

import (
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.uber.org/zap/zapcore"

	"livebridge/bridge"
	"livebridge/bridge/certificate"
	"livebridge/bridge/ingress"
	"livebridge/bridge/keyring"
	"livebridge/bridge/signature"
)

// check checks the values of parsed settings.
func (s *settings) check() []error {
	var errs []error
	choice := func(name, value string, allowed ...string) {
		if !slices.Contains(allowed, value) {
			errs = append(errs, settingError(name, "use one of "+strings.Join(allowed, ", "), "invalid value %q", value))
		}
	}
	choice("TRANSPORT", s.Transport, "nats", "kafka")
	choice("EVENT_MODE", s.EventMode, "structured", "binary")
	choice("UNSIGNED", s.Unsigned, "refuse", "accept")
	choice("SIGNATURE_REUSE", s.SignatureReuse, "quarantine", "accept")
	choice("INTAKE", s.Intake, "local", "broker")
	choice("INTAKE_FALLBACK", s.IntakeFallback, "journal", "refuse")
	choice("LOG_FORMAT", s.LogFormat, "auto", "json", "console")
	if _, err := zapcore.ParseLevel(s.LogLevel); err != nil {
		errs = append(errs, settingError("LOG_LEVEL", "use one of debug, info, warn, error", "invalid value %q", s.LogLevel))
	}
	if _, err := regexp.Compile(s.IgnoreStreams); err != nil {
		errs = append(errs, settingError("IGNORE_STREAMS", "use RE2 syntax", "invalid expression: %w", err))
	}
	if _, err := signature.ParseScheme(s.RecordSignType); err != nil {
		errs = append(errs, bridge.NewSettingError("RECORD_SIGN_TYPE", err, ""))
	}
	return append(errs, slices.Concat(s.checkTransport(), s.checkNumbers(), s.checkAddresses(), s.checkPaths(),
		s.checkCertificate(), s.checkWindow(), s.checkKeys(), s.checkReconcile(), s.checkSessions(), s.checkTypes(),
		s.checkIntake(),
		[]error{s.transport().check()})...)
}

// checkNumbers rejects numbers out of range.
func (s *settings) checkNumbers() []error {
	errs := s.checkHistory()
	for name, n := range map[string]int{
		"MAX_CONNECTIONS": s.MaxConnections, "HELD_PER_LANE": s.HeldPerLane, "HELD_MAX": s.HeldMax, "DEDUPE_MAX": s.DedupeMax,
		"LANES_CACHED": s.LanesCached, "QUARANTINE_MAX": s.QuarantineMax, "DEAD_LETTERS_MAX": s.DeadLettersMax,
	} {
		if n < 1 {
			errs = append(errs, settingError(name, "use 1 or more", "%d is too small", n))
		}
	}
	if s.JournalMaxBytes < s.MaxBody {
		errs = append(errs, settingError("JOURNAL_MAX_BYTES", "raise it or lower MAX_BODY",
			"%v is less than MAX_BODY (%v)", s.JournalMaxBytes, s.MaxBody))
	}
	for _, f := range s.fields() {
		if d, ok := f.value.(interface{ Nanoseconds() int64 }); ok && d.Nanoseconds() < 0 {
			errs = append(errs, settingError(f.name, "use 0s or more", "%v is negative", f.value))
		}
	}
	return errs
}

// checkAddresses rejects invalid listen addresses, incomplete TLS settings, and trusting every proxy.
func (s *settings) checkAddresses() []error {
	var errs []error
	for name, address := range map[string]string{"LISTEN": s.Listen, "ADMIN_LISTEN": s.AdminListen} {
		_, port, err := net.SplitHostPort(address)
		if _, portErr := strconv.ParseUint(port, 10, 16); err != nil || portErr != nil {
			errs = append(errs, settingError(name,
				"use host:port with a port of 0 to 65535, such as 127.0.0.1:8080 or :8080", "invalid address %q", address))
		}
	}
	if (s.TLSCertFile == "") != (s.TLSKeyFile == "") || s.TLSClientCAFile != "" && s.TLSCertFile == "" {
		errs = append(errs, settingError("TLS_CERT_FILE", "set or unset them all",
			"TLS_CERT_FILE and TLS_KEY_FILE require each other, and TLS_CLIENT_CA_FILE requires both"))
	}
	for _, n := range s.TrustedProxies {
		if netip.Prefix(n).Bits() == 0 {
			errs = append(errs, settingError("TRUSTED_PROXIES", "list only your proxies",
				"%v trusts every address, and any sender could forge its address", n))
		}
	}
	return errs
}

// checkPaths rejects parts of paths that a URL would have to escape.
func (s *settings) checkPaths() []error {
	return []error{
		bridge.NewSettingError("SNAPSHOT_TOKEN", ingress.CheckToken(s.SnapshotToken), ""),
		bridge.NewSettingError("PATH_PREFIX", ingress.CheckPrefix(s.PathPrefix), ""),
	}
}

// checkCertificate rejects TLS files that are unreadable or do not match.
func (s *settings) checkCertificate() []error {
	if s.TLSCertFile == "" || s.TLSKeyFile == "" {
		return nil
	}
	if _, err := certificate.Open(s.certificate()); err != nil {
		return []error{err}
	}
	return nil
}

// checkWindow rejects a dedupe window that is shorter than the time in which a callback can be replayed.
func (s *settings) checkWindow() []error {
	if s.DedupeWindow < s.RTCMaxAge {
		return []error{settingError("DEDUPE_WINDOW", "raise it or lower RTC_MAX_AGE",
			"%v is less than RTC_MAX_AGE (%v), so that SparkRTC callbacks could be replayed",
			s.DedupeWindow, s.RTCMaxAge)}
	}
	if s.DedupeWindow < s.AuthSkew+s.AuthMaxAhead {
		return []error{settingError("DEDUPE_WINDOW", "raise it or lower the others",
			"%v is less than AUTH_SKEW + AUTH_MAX_AHEAD (%v), so that callbacks could be replayed",
			s.DedupeWindow, s.AuthSkew+s.AuthMaxAhead)}
	}
	return nil
}

// checkKeys rejects invalid keys and domains, and settings without any key.
func (s *settings) checkKeys() []error {
	if s.StreamKey+s.RecordKey+s.RTCKey+s.SnapshotToken == "" && len(s.keyFiles) == 0 && s.Unsigned != "accept" {
		return []error{settingError("STREAM_KEY", "set the keys that are configured at the provider, or "+
			"UNSIGNED=accept to accept callbacks without a signature",
			"is empty, and so are RECORD_KEY, RTC_KEY, KEYS_FILE and SNAPSHOT_TOKEN")}
	}
	var errs []error
	for _, of := range []struct {
		setting string
		config  signature.Config
	}{
		{"STREAM_KEY", signature.Config{Stream: keyList(s.StreamKey)}},
		{"RECORD_KEY", signature.Config{Record: keyList(s.RecordKey)}},
		{"RTC_KEY", signature.Config{RTC: keyList(s.RTCKey)}},
		{"DOMAINS", signature.Config{Domains: s.Domains}},
	} {
		_, err := signature.NewRing(of.config)
		errs = append(errs, bridge.NewSettingError(of.setting, err, ""))
	}
	_, err := keyring.Open(keyring.Options{Files: s.keyFiles})
	return append(errs, err)
}

// signatures returns the configuration of signature verification, without the keys in files.
func (s *settings) signatures() signature.Config {
	scheme, err := signature.ParseScheme(s.RecordSignType) // check reports its error
	if err != nil {
		scheme = bridge.SchemeHMAC
	}
	return signature.Config{
		Stream: keyList(s.StreamKey), Record: keyList(s.RecordKey), RTC: keyList(s.RTCKey), RecordScheme: scheme,
		AcceptUnsigned: s.Unsigned == "accept",
		Domains:        s.Domains, Skew: s.AuthSkew, MaxAhead: s.AuthMaxAhead, RTCMaxAge: s.RTCMaxAge,
	}
}

// checkIntake rejects what many replicas do not support, and settings of theirs where there are none.
func (s *settings) checkIntake() (errs []error) {
	if s.Intake != "broker" {
		return s.checkUnused("INTAKE_", "set INTAKE=broker", "is set although INTAKE is %s, where it has no effect", s.Intake)
	}
	if s.IntakeBudget <= 0 {
		errs = append(errs, settingError("INTAKE_BUDGET", "use a value such as 800ms", "%v is too short", s.IntakeBudget))
	}
	if s.JournalKeep > 0 {
		errs = append(errs, settingError("JOURNAL_KEEP",
			"unset it; how long callbacks and events are kept is the retention of the intake and of the topic of events",
			"is not supported with INTAKE=broker, where the broker keeps the history"))
	}
	return errs
}
