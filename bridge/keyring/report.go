package keyring

import (
	"slices"

	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/signature"
)

// keyName identifies a key.
type keyName struct {
	kind bridge.Kind
	id   string
}

func nameOf(u signature.KeyUse) keyName { return keyName{u.Kind, u.ID} }

// fields are the log fields of a key.
func fields(u signature.KeyUse) []zap.Field {
	f := []zap.Field{zap.Stringer("kind", u.Kind), zap.String("key", u.ID)}
	if u.Count > 0 {
		f = append(f, zap.Uint64("uses", u.Count), zap.Stringer("last_use", u.Last))
	}
	return f
}

// logChanges logs which keys were added and which removed.
func (k *Keyring) logChanges(old, now *signature.Ring) {
	var before []signature.KeyUse
	if old != nil {
		before = old.Keys()
	}
	after := now.Keys()
	has := func(list []signature.KeyUse, u signature.KeyUse) bool {
		return slices.ContainsFunc(list, func(other signature.KeyUse) bool { return nameOf(other) == nameOf(u) })
	}
	for _, u := range after {
		if !has(before, u) {
			k.opts.Log.Info("key added", fields(u)...)
			k.firstUseLogged[nameOf(u)] = u.Count > 0 // one that comes back was logged before
		}
	}
	for _, u := range before {
		if !has(after, u) {
			k.opts.Log.Info("key removed", fields(u)...)
			delete(k.firstUseLogged, nameOf(u))
		}
	}
}

// logFirstUses logs every key that was used for the first time since it was added.
func (k *Keyring) logFirstUses() {
	for _, u := range k.Ring().Keys() {
		if u.Count > 0 && !k.firstUseLogged[nameOf(u)] {
			k.firstUseLogged[nameOf(u)] = true
			k.opts.Log.Info("key used for the first time", fields(u)...)
		}
	}
}

func (k *Keyring) logUses() {
	for _, u := range k.Ring().Keys() {
		k.opts.Log.Info("key usage at shutdown", fields(u)...)
	}
}

// warn logs what is weak in the active configuration.
func (k *Keyring) warn(cfg signature.Config) {
	if s := cfg.RecordScheme; weak(s) && len(cfg.Record) > 0 {
		k.warnWeak(s, "RECORD_SIGN_TYPE")
	}
	for i := range cfg.Rules {
		switch r := &cfg.Rules[i]; {
		case weak(r.Scheme):
			k.warnWeak(r.Scheme, "KEYS_FILE, "+r.Where)
		case r.Kind == bridge.KindRecord && r.Scheme == bridge.SchemeNone && weak(cfg.RecordScheme):
			k.warnWeak(cfg.RecordScheme, "RECORD_SIGN_TYPE, for KEYS_FILE, "+r.Where)
		case r.Kind == bridge.KindSnapshot && len(r.Keys) > 0:
			k.opts.Log.Warn("snapshot keys are not used: the provider documents no signature for snapshots; "+
				"SNAPSHOT_TOKEN authenticates them", zap.String("setting", "KEYS_FILE, "+r.Where))
		}
	}
	for _, d := range k.suspectKeys(cfg) {
		k.opts.Log.Warn("key is probably malformed", zap.String("setting", d.Setting), zap.String("key", d.Key),
			zap.String("problem", d.Problem))
	}
	for _, a := range signature.Ambiguities(cfg.Rules, len(cfg.Domains) > 0) {
		k.opts.Log.Warn("two rules of KEYS_FILE are ambiguous: letters can move from one signed field to the next; "+
			"give their apps different keys, or names that are not prefixes of each other",
			zap.String("one", a.A.Where), zap.String("other", a.B.Where))
	}
}

func weak(s bridge.Scheme) bool { return s == bridge.SchemeMD5 || s == bridge.SchemeHMACLegacy }

func (k *Keyring) warnWeak(s bridge.Scheme, setting string) {
	k.opts.Log.Warn("weak signature scheme for recordings: a captured callback allows forging others until it expires; "+
		"set the sign type HMACSHA256 at the provider and here",
		zap.Stringer("scheme", s), zap.String("setting", setting))
}

func (k *Keyring) warnWorldReadable(f *watched) {
	if WorldReadable(f.Path) {
		k.opts.Log.Warn("key file is world-readable; "+
			"restrict it (chmod o-r, or defaultMode 0400 for a Kubernetes Secret)",
			zap.String("setting", f.Setting), zap.String("path", f.Path))
	}
}
