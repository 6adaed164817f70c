package doctor

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"livebridge/bridge"
	"livebridge/bridge/provider"
	"livebridge/bridge/signature"
)

type adder = func(level Level, check Check, problem, advice string)

// refused reports a domain or an app whose callbacks are rejected whatever their signature.
func (f *findings) refused(add adder, c *provider.Callback, expected signature.Expectation) {
	var refused *signature.Error
	if !errors.As(expected.Refused, &refused) {
		return
	}
	if refused.Reason == signature.ReasonApp {
		add(Error, CheckApp, "callbacks are rejected: the app is not allowed for this domain",
			"add a rule for "+c.App+" to KEYS_FILE, or delete the callback")
		return
	}
	add(Error, CheckDomain, "callbacks are rejected: "+refused.Public(),
		"add "+c.Domain+" to DOMAINS, or delete the callback")
}

// key compares the registered key with those that verify callbacks, as far as the provider tells it.
func (f *findings) key(add adder, c *provider.Callback, expected signature.Expectation) {
	switch {
	case c.Kind == bridge.KindSnapshot: // its signature is not documented; the token of the URL counts
	case len(expected.Keys) == 0 && expected.Unsigned:
		add(Warning, CheckKey, "callbacks are accepted without a signature, so that anyone can forge them",
			"set "+keySetting(c.Kind)+" and register the same key")
	case len(expected.Keys) == 0:
		add(Error, CheckKey, "callbacks are rejected: there is no key for them here",
			"set "+keySetting(c.Kind)+" to the key that is registered")
	case c.KeyHidden: // see rejected
	case c.Key == "":
		add(Error, CheckKey, "callbacks are rejected: they are not signed, since no key is registered",
			"register the key "+list(expected.Keys))
	case !slices.Contains(expected.Keys, signature.KeyID(c.Key.Reveal())):
		add(Error, CheckKey, fmt.Sprintf("callbacks are rejected: they are signed with the key %s, and here is %s",
			signature.KeyID(c.Key.Reveal()), list(expected.Keys)),
			"set "+keySetting(c.Kind)+" to the registered key, or register one of these")
	}
}

// keySetting returns the setting of the keys of a kind.
func keySetting(k bridge.Kind) string {
	switch k {
	case bridge.KindStream:
		return "STREAM_KEY"
	case bridge.KindRecord:
		return "RECORD_KEY"
	}
	return "RTC_KEY"
}

func list(ids []string) string { return strings.Join(ids, " or ") }

// signType compares how recordings are signed.
func (f *findings) signType(add adder, c *provider.Callback, expected signature.Expectation) {
	if c.Kind != bridge.KindRecord || len(expected.Keys) == 0 {
		return
	}
	wanted := provider.SignHMAC
	if expected.Scheme == bridge.SchemeMD5 {
		wanted = provider.SignMD5
	}
	if c.SignType != wanted {
		add(Error, CheckSignType,
			fmt.Sprintf("callbacks are rejected: they are signed by %s, and here %s is expected", c.SignType, wanted),
			"update the callback with --sign-type HMACSHA256, and set RECORD_SIGN_TYPE or sign_type in KEYS_FILE to the same")
		return
	}
	if c.SignType == provider.SignMD5 {
		add(Warning, CheckSignType, "MD5 signs no field: one captured callback lets anyone forge any other until it expires",
			"set RECORD_SIGN_TYPE=HMACSHA256 and update the callback with --sign-type HMACSHA256")
	}
}

// events reports events of recordings that are not subscribed.
func (f *findings) events(add adder, c *provider.Callback) {
	if c.Kind != bridge.KindRecord {
		return
	}
	const start = "RECORD_START"
	var missing []string
	for _, event := range provider.RecordEvents() {
		if event != start && !slices.Contains(c.Events, event) {
			missing = append(missing, event)
		}
	}
	if !slices.Contains(c.Events, start) {
		add(Warning, CheckRecordStart, "RECORD_START is not subscribed: the start of a recording is not seen",
			"update the callback with --events; the provider's console does not offer RECORD_START, its API accepts it")
	}
	if len(missing) > 0 {
		add(Warning, CheckEvents, "not subscribed: "+strings.Join(missing, ", "), "update the callback with --events")
	}
}
