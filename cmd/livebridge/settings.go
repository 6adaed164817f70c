package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/caarlos0/env/v11"
	"go.uber.org/zap/zapcore"

	"livebridge/bridge"
	"livebridge/bridge/keyring"
	"livebridge/bridge/signature"
)

// prefix stands before the name of every setting.
const prefix = "LIVEBRIDGE_"

// environ returns the variables of the process by name.
func environ() map[string]string { return env.ToMap(os.Environ()) }

// load reads the settings and checks them together. All mistakes are in the error, each with the name of its setting.
func load(vars map[string]string) (*settings, error) {
	s := &settings{}
	vars = maps.Clone(vars)
	errs := []error{readSecretFiles(vars)}
	if err := env.ParseWithOptions(s, env.Options{Prefix: prefix, Environment: vars}); err != nil {
		errs = append(errs, parseErrors(err)...)
		return nil, &usageError{errors.Join(errs...)}
	}
	s.keyFiles = keyFiles(vars)
	if err := errors.Join(append(errs, s.check()...)...); err != nil {
		return nil, &usageError{err}
	}
	return s, nil
}

// parseErrors names the setting, not the field of our struct.
func parseErrors(err error) []error {
	var all env.AggregateError
	if !errors.As(err, &all) {
		return []error{err}
	}
	var errs []error
	for _, e := range all.Errors {
		var p env.ParseError
		if !errors.As(e, &p) {
			errs = append(errs, e)
			continue
		}
		field, _ := reflect.TypeFor[settings]().FieldByName(p.Name)
		errs = append(errs, wrong(field.Tag.Get("env"), "%w", p.Err))
	}
	return errs
}

// wrong makes the error of one setting.
func wrong(name, format string, args ...any) error {
	return fmt.Errorf(prefix+name+": "+format, args...)
}

// fields yields every setting's name, whether it is a secret, and its value.
func (s *settings) fields() []field {
	v := reflect.ValueOf(s).Elem()
	var out []field
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag
		if tag.Get("env") == "" {
			continue
		}
		out = append(out, field{name: tag.Get("env"), secret: tag.Get("secret") != "", value: v.Field(i).Interface()})
	}
	return out
}

type field struct {
	name   string
	secret bool
	value  any
}

// unknown returns the variables with our prefix that are no setting. They are warned of and not refused: Kubernetes makes
// variables of its own for a service of our name.
func unknown(vars map[string]string) []string {
	known := make(map[string]bool)
	for _, f := range (&settings{}).fields() {
		known[prefix+f.name] = true
		known[prefix+f.name+"_FILE"] = f.secret || known[prefix+f.name+"_FILE"]
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		if strings.HasPrefix(name, prefix) && !known[name] {
			out = append(out, name)
		}
	}
	return out
}

// check returns what is wrong with settings that parse each by itself.
func (s *settings) check() []error {
	var errs []error
	choice := func(name, value string, allowed ...string) {
		if !slices.Contains(allowed, value) {
			errs = append(errs, wrong(name, "%q is not one of %s", value, strings.Join(allowed, ", ")))
		}
	}
	choice("TRANSPORT", s.Transport, "nats", "kafka")
	choice("EVENT_MODE", s.EventMode, "structured", "binary")
	choice("UNSIGNED", s.Unsigned, "refuse", "accept")
	choice("SIGNATURE_REUSE", s.SignatureReuse, "quarantine", "accept")
	choice("LOG_FORMAT", s.LogFormat, "auto", "json", "console")
	if _, err := zapcore.ParseLevel(s.LogLevel); err != nil {
		errs = append(errs, wrong("LOG_LEVEL", "%q is not one of debug, info, warn, error", s.LogLevel))
	}
	if _, err := regexp.Compile(s.IgnoreStreams); err != nil {
		errs = append(errs, wrong("IGNORE_STREAMS", "is no RE2 expression: %w", err))
	}
	if _, err := signature.ParseScheme(s.RecordSignType); err != nil {
		errs = append(errs, wrong("RECORD_SIGN_TYPE", "%w", err))
	}
	return append(errs, slices.Concat(s.checkNumbers(), s.checkWindow(), s.checkKeys())...)
}

// checkNumbers refuses numbers that nothing can work with.
func (s *settings) checkNumbers() []error {
	var errs []error
	for name, n := range map[string]int{
		"MAX_CONNECTIONS": s.MaxConnections, "HELD_PER_LANE": s.HeldPerLane, "HELD_MAX": s.HeldMax, "DEDUPE_MAX": s.DedupeMax,
		"LANES_CACHED": s.LanesCached, "QUARANTINE_MAX": s.QuarantineMax, "DEAD_LETTERS_MAX": s.DeadLettersMax, "NATS_REPLICAS": s.NATSReplicas,
	} {
		if n < 1 {
			errs = append(errs, wrong(name, "%d is too small; use 1 or more", n))
		}
	}
	for _, f := range s.fields() {
		if d, ok := f.value.(interface{ Nanoseconds() int64 }); ok && d.Nanoseconds() < 0 {
			errs = append(errs, wrong(f.name, "%v is negative", f.value))
		}
	}
	return errs
}

// checkWindow refuses a memory of identities that is shorter than a callback can be sent again.
func (s *settings) checkWindow() []error {
	if s.DedupeWindow < s.RTCMaxAge {
		return []error{wrong("DEDUPE_WINDOW", "%v is less than RTC_MAX_AGE, %v: a SparkRTC callback could be replayed; raise the one or lower the other",
			s.DedupeWindow, s.RTCMaxAge)}
	}
	if s.DedupeWindow < s.AuthSkew+s.AuthMaxAhead {
		return []error{wrong("DEDUPE_WINDOW", "%v is less than AUTH_SKEW + AUTH_MAX_AHEAD, %v: a callback could be replayed; raise the one or lower the others",
			s.DedupeWindow, s.AuthSkew+s.AuthMaxAhead)}
	}
	return nil
}

// checkKeys refuses to start without any key, and with keys that the provider would not take.
func (s *settings) checkKeys() []error {
	if s.StreamKey+s.RecordKey+s.RTCKey+s.SnapshotToken == "" && len(s.keyFiles) == 0 && s.Unsigned != "accept" {
		return []error{wrong("STREAM_KEY", "is empty, and so are RECORD_KEY, RTC_KEY, KEYS_FILE and SNAPSHOT_TOKEN: set the keys that are "+
			"configured at the provider, or UNSIGNED=accept to take callbacks from anybody")}
	}
	if _, err := signature.NewRing(s.signatures()); err != nil {
		return []error{fmt.Errorf("keys (%sSTREAM_KEY, RECORD_KEY, RTC_KEY, DOMAINS): %w", prefix, err)}
	}
	if _, err := keyring.Open(keyring.Options{Config: s.signatures(), Files: s.keyFiles}); err != nil {
		return []error{err}
	}
	return nil
}

// signatures is what callbacks are judged by, without the keys of files. A sign type that is none is told by check.
func (s *settings) signatures() signature.Config {
	scheme, err := signature.ParseScheme(s.RecordSignType)
	if err != nil {
		scheme = bridge.SchemeHMAC
	}
	return signature.Config{
		Stream: keyList(s.StreamKey), Record: keyList(s.RecordKey), RTC: keyList(s.RTCKey), RecordScheme: scheme,
		AcceptUnsigned: s.Unsigned == "accept",
		Domains:        s.Domains, Skew: s.AuthSkew, MaxAhead: s.AuthMaxAhead, RTCMaxAge: s.RTCMaxAge,
	}
}
