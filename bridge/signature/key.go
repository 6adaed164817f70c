package signature

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"hash"
	"sync"

	"livebridge/bridge"
)

// key is one secret with its HMAC states. A pooled state has the padded key hashed already, which halves the
// blocks that a short message takes.
type key struct {
	secret string
	macs   sync.Pool // of hash.Hash, ready to write to
}

func newKey(secret string) *key {
	k := &key{secret: secret}
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

// keys are the secrets of one kind and the only scheme that they are used with.
type keys struct {
	scheme bridge.Scheme
	list   []*key
}

func newKeys(k bridge.Kind, s bridge.Scheme, secrets []string) (*keys, error) {
	set := &keys{scheme: s}
	for i, secret := range secrets {
		if err := checkKey(k, i+1, secret); err != nil {
			return nil, err
		}
		set.list = append(set.list, newKey(secret))
	}
	return set, nil
}

// match reports whether some key makes the signature w.given over the text w.text and the body. It tries every
// key, each in constant time, so that the answer's time tells nothing about which key it was or how near a guess
// came.
func (s *keys) match(w *work, body []byte) bool {
	found := false
	for _, k := range s.list {
		w.made = s.make(w.made[:0], k, w, body)
		found = hmac.Equal(w.made, w.given) || found
	}
	return found
}

func (s *keys) make(dst []byte, k *key, w *work, body []byte) []byte {
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
