package signature

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"crypto/subtle"
	"hash"
	"slices"
	"sync"

	"livebridge/bridge"
)

// key is one secret with its HMAC states. A pooled state has already hashed the padded key, which halves the blocks of
// a short message.
type key struct {
	name   keyName
	secret string
	macs   sync.Pool // of hash.Hash, ready to write to
	used   *use
}

func newKey(name keyName, secret string, used *use) *key {
	k := &key{name: name, secret: secret, used: used}
	k.macs.New = func() any { return hmac.New(sha256.New, []byte(secret)) }
	return k
}

// appendHMAC appends the HMAC-SHA256 of the concatenated parts.
func (k *key) appendHMAC(dst []byte, parts ...[]byte) []byte {
	mac := k.macs.Get().(hash.Hash)
	for _, part := range parts {
		mac.Write(part)
	}
	dst = mac.Sum(dst)
	mac.Reset()
	k.macs.Put(mac)
	return dst
}

// keys are the secrets that verify a callback, and the only scheme that they are used with.
type keys struct {
	scheme bridge.Scheme
	list   []*key
}

// with returns the union of both.
func (s *keys) with(more *keys) *keys {
	both := &keys{scheme: s.scheme, list: slices.Clone(s.list)}
	for _, k := range more.list {
		if !slices.Contains(both.list, k) {
			both.list = append(both.list, k)
		}
	}
	return both
}

// match returns the key that makes the signature w.received over w.text and the body, or nil. It tries every key, each
// in constant time, so that timing reveals neither which key matched nor how close a forgery came.
func (s *keys) match(w *scratch, body []byte) *key {
	found := -1
	for i, k := range s.list {
		w.computed = s.sign(w.computed[:0], k, w, body)
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(w.computed, w.received), i, found)
	}
	if found < 0 {
		return nil
	}
	return s.list[found]
}

func (s *keys) sign(dst []byte, k *key, w *scratch, body []byte) []byte {
	if !keyInFront(s.scheme) {
		return k.appendHMAC(dst, w.text, body)
	}
	w.keyed = append(append(w.keyed[:0], k.secret...), w.text...)
	if s.scheme == bridge.SchemeMD5 {
		digest := md5.Sum(w.keyed)
		return append(dst, digest[:]...)
	}
	return k.appendHMAC(dst, w.keyed)
}
