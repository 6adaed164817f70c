package main

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

	"livebridge/bridge"
	"livebridge/bridge/tracing"
)

// prefix begins the name of every setting.
const prefix = bridge.SettingPrefix

// load reads and checks the settings. The error has all mistakes, each with the name of its setting, and the variables
// that are no setting: one that is misspelled may be why another is missing.
func load(vars map[string]string) (*settings, error) {
	s, err := readSettings(vars)
	if err == nil {
		return s, nil
	}
	for _, name := range unknownSettings(vars) {
		err = errors.Join(err, fmt.Errorf("%s: is no setting and is ignored: see livebridge config", name))
	}
	return nil, &usageError{err}
}

// readSettings is load that returns the settings beside an error too. Those that are no valid text have their defaults.
func readSettings(given map[string]string) (*settings, error) {
	s := &settings{given: given}
	vars := maps.Clone(given)
	secretFiles, err := readSecretFiles(vars)
	errs := append([]error{err}, parse(s, vars)...)
	s.secretFiles = secretFiles
	s.keyFiles = keyFiles(vars)
	s.invalid = removed(given, vars)
	if topic, set := vars[prefix+"QUARANTINE_TOPIC"]; set {
		s.QuarantineTopic = topic // empty differs from unset: notices are not published
	}
	s.tracing, err = tracing.FromEnvironment(vars)
	if err := errors.Join(append(append(errs, err), s.check()...)...); err != nil {
		return s, &usageError{err}
	}
	return s, nil
}

// removed returns the settings that parse has removed from the variables, since they are invalid.
func removed(given, vars map[string]string) map[string]bool {
	names := make(map[string]bool)
	for name := range given {
		if _, valid := vars[name]; !valid {
			names[strings.TrimPrefix(name, prefix)] = true
		}
	}
	return names
}

// parse parses each setting. An invalid one gets its default, so that the others can still be checked.
func parse(s *settings, vars map[string]string) []error {
	err := env.ParseWithOptions(s, env.Options{Prefix: prefix, Environment: vars})
	var all env.AggregateError
	if !errors.As(err, &all) {
		return []error{err}
	}
	var errs []error
	for _, e := range all.Errors {
		var p env.ParseError
		if !errors.As(e, &p) {
			return append(errs, e)
		}
		field, _ := reflect.TypeFor[settings]().FieldByName(p.Name)
		name := field.Tag.Get("env")
		switch field.Type {
		case reflect.TypeFor[int]():
			errs = append(errs, settingError(name, "use a number such as 12", "invalid integer %q", vars[prefix+name]))
		case reflect.TypeFor[time.Duration]():
			errs = append(errs, settingError(name, "use a value such as 500ms, 10s or 24h",
				"invalid duration %q", vars[prefix+name]))
		default:
			errs = append(errs, bridge.NewSettingError(name, p.Err, ""))
		}
		delete(vars, prefix+name)
	}
	*s = settings{given: s.given}
	return append(errs, parse(s, vars)...)
}

// settingError returns the error of one setting: what to do about it, and what is wrong with it.
func settingError(name, remedy, problem string, args ...any) error {
	return bridge.NewSettingError(name, fmt.Errorf(problem, args...), remedy)
}

// fields returns every setting. In the struct they come before everything that is none, in this order.
func (s *settings) fields() []field {
	params, err := env.GetFieldParams(s)
	if err != nil {
		panic(err) // an option in a tag that the library does not know
	}
	out, v := make([]field, len(params)), reflect.ValueOf(s).Elem()
	for i, p := range params {
		out[i] = field{name: p.OwnKey, byDefault: p.DefaultValue, secret: v.Type().Field(i).Tag.Get("secret") != "",
			value: v.Field(i).Interface()}
	}
	return out
}

// quotedSecrets returns the secrets whose values are in quotes, except for keys, of which the keyring warns.
func (s *settings) quotedSecrets() []string {
	var names []string
	for _, f := range s.fields() {
		text, _ := f.value.(string)
		_, key := keySettings()[f.name]
		if f.secret && !key && len(text) > 1 && (text[0] == '"' || text[0] == '\'') && text[len(text)-1] == text[0] {
			names = append(names, f.name)
		}
	}
	return names
}

type field struct {
	name      string
	secret    bool
	byDefault string // the value of one that is not set
	value     any
}

// unknownSettings returns the variables with our prefix that are no setting. They only cause a warning, since
// Kubernetes sets such variables for a service named livebridge.
func unknownSettings(vars map[string]string) []string {
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
