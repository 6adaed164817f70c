package keyring

import (
	"slices"

	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/signature"
)

// keyName tells keys apart.
type keyName struct {
	kind bridge.Kind
	id   string
}

func nameOf(u signature.KeyUse) keyName { return keyName{u.Kind, u.ID} }

// fields are what a log line says of a key.
func fields(u signature.KeyUse) []zap.Field {
	f := []zap.Field{zap.Stringer("kind", u.Kind), zap.String("key", u.ID)}
	if u.Count > 0 {
		f = append(f, zap.Uint64("uses", u.Count), zap.Stringer("last_use", u.Last))
	}
	return f
}

// logChanges logs which keys have come and which have gone.
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
			k.opts.Log.Info("key in force", fields(u)...)
			k.firstUseLogged[nameOf(u)] = u.Count > 0 // one that comes back was told of before
		}
	}
	for _, u := range before {
		if !has(after, u) {
			k.opts.Log.Info("key no longer in force", fields(u)...)
			delete(k.firstUseLogged, nameOf(u))
		}
	}
}

// logFirstUses logs every key that was used for the first time since it is in force.
func (k *Keyring) logFirstUses() {
	for _, u := range k.Ring().Keys() {
		if u.Count > 0 && !k.firstUseLogged[nameOf(u)] {
			k.firstUseLogged[nameOf(u)] = true
			k.opts.Log.Info("key used for the first time", fields(u)...)
		}
	}
}

// logUses logs when each key was last used.
func (k *Keyring) logUses() {
	for _, u := range k.Ring().Keys() {
		k.opts.Log.Info("key at the end", fields(u)...)
	}
}

// warn tells what is weak in a configuration that is in force.
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
			k.opts.Log.Warn("keys of snapshots are not used: the provider tells no formula, and SNAPSHOT_TOKEN is what they are believed by",
				zap.String("setting", "KEYS_FILE, "+r.Where))
		}
	}
	for _, d := range k.suspectKeys(cfg) {
		k.opts.Log.Warn("key is probably malformed", zap.String("setting", d.Setting), zap.String("key", d.Key),
			zap.String("problem", d.Problem))
	}
	for _, a := range signature.Ambiguities(cfg.Rules, len(cfg.Domains) > 0) {
		k.opts.Log.Warn("two apps of KEYS_FILE can be taken for each other: letters can move from one signed field to the next; "+
			"give them keys of their own, or names of which none begins another", zap.String("one", a.A.Where), zap.String("other", a.B.Where))
	}
}

func weak(s bridge.Scheme) bool { return s == bridge.SchemeMD5 || s == bridge.SchemeHMACLegacy }

func (k *Keyring) warnWeak(s bridge.Scheme, setting string) {
	k.opts.Log.Warn("recordings are signed with a weak scheme: who has seen one callback can forge any until it expires; "+
		"set the sign type HMACSHA256 at the provider and here", zap.Stringer("scheme", s), zap.String("setting", setting))
}

func (k *Keyring) warnWorldReadable(f *watched) {
	if WorldReadable(f.Path) {
		k.opts.Log.Warn("everybody on this machine may read a file of keys; take the right away, with chmod o-r or defaultMode: 0400 of a secret",
			zap.String("setting", f.Setting), zap.String("path", f.Path))
	}
}
