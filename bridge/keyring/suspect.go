package keyring

import (
	"livebridge/bridge"
	"livebridge/bridge/signature"
	"livebridge/bridge/signature/diagnose"
)

// SuspectKey is a key that probably has something in it that does not belong to it.
type SuspectKey struct {
	Setting string // where it comes from
	Key     string // see signature.KeyID
	Problem string // see diagnose.KeyProblem
}

// SuspectKeys returns the active keys that look wrong.
func (k *Keyring) SuspectKeys() []SuspectKey {
	cfg, _, err := k.build()
	if err != nil {
		return nil // never: Open has succeeded, and only usable contents become active
	}
	return k.suspectKeys(cfg)
}

func (k *Keyring) suspectKeys(cfg signature.Config) (all []SuspectKey) {
	add := func(setting string, keys []string) {
		for _, key := range keys {
			if problem := diagnose.KeyProblem(key); problem != "" {
				all = append(all, SuspectKey{setting, signature.KeyID(key), problem})
			}
		}
	}
	add(k.settingOf(bridge.KindStream, "STREAM_KEY"), cfg.Stream)
	add(k.settingOf(bridge.KindRecord, "RECORD_KEY"), cfg.Record)
	add(k.settingOf(bridge.KindRTCRecord, "RTC_KEY"), cfg.RTC)
	for _, r := range cfg.Rules {
		add("KEYS_FILE, "+r.Where, r.Keys)
	}
	return all
}

// settingOf returns the setting of the file with the keys of a kind, or else that of the keys themselves.
func (k *Keyring) settingOf(kind bridge.Kind, setting string) string {
	for _, f := range k.files {
		if f.Kind == kind {
			return f.Setting
		}
	}
	return setting
}
