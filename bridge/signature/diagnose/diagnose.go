// Package diagnose finds out how a signature that does not verify was made: with which key, over which text, by which
// formula. It tries what users and providers usually get wrong, and is pure.
package diagnose

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"strings"

	"livebridge/bridge"
)

// Key is a key that may have made a signature. No diagnosis shows its secret.
type Key struct {
	Secret string
	ID     string // how it is named
	Kind   bridge.Kind
}

// Field is one part of what a signature covers.
type Field struct {
	Name  string // the provider's name of the member or header; "key" for the key itself, whose Value is empty
	Value string
}

// Live returns how the signature of a Live callback was made; empty if that is not found out. fields are what the
// scheme of its kind signs, other is what that of the other kind would; timestamp is its auth_timestamp. The keys that
// apply to the callback are tried first, then all others, with which it may have been signed by mistake.
func Live(given, timestamp string, fields, other []Field, applicable, all []Key) string {
	return diagnose(given, applicable, all, liveTexts(timestamp, fields, other))
}

// RTC does the same for a SparkRTC callback, signed over its headers X-Rtc-Rand and X-Rtc-Timestamp and its body.
func RTC(given, rand, timestamp, body string, applicable, all []Key) string {
	return diagnose(given, applicable, all, rtcTexts(rand, timestamp, body))
}

// minDiagnosedBytes is the shortest signature to diagnose: a shorter one would match something by chance.
const minDiagnosedBytes = 8

// candidate is one variant of a text or a key: its value, and how it differs from the expected one.
type candidate struct{ value, description string }

// signedTexts are the texts that a signature may cover: likely ones, which are combined with every variant of the key,
// and many others.
type signedTexts struct{ likely, others []candidate }

// formula is one way to sign a text with a key.
type formula struct {
	name string
	sum  func(key, text string) []byte
}

func formulas() []formula {
	mac := func(h func() hash.Hash) func(key, text string) []byte {
		return func(key, text string) []byte {
			m := hmac.New(h, []byte(key))
			m.Write([]byte(text))
			return m.Sum(nil)
		}
	}
	plain := func(h func() hash.Hash) func(key, text string) []byte {
		return func(key, text string) []byte {
			d := h()
			d.Write([]byte(key + text))
			return d.Sum(nil)
		}
	}
	after := func(f func(key, text string) []byte) func(key, text string) []byte {
		return func(key, text string) []byte { return f("", text+key) }
	}
	return []formula{
		{"HMAC-SHA256 over ", mac(sha256.New)},
		{"HMAC-SHA256 over the key and ", func(key, text string) []byte { return mac(sha256.New)(key, key+text) }},
		{"MD5 over the key and ", plain(md5.New)},
		{"MD5 with the key after ", after(plain(md5.New))},
		{"SHA-256 over the key and ", plain(sha256.New)},
		{"SHA-256 with the key after ", after(plain(sha256.New))},
		{"HMAC-SHA1 over ", mac(sha1.New)},
		{"HMAC-MD5 over ", mac(md5.New)},
	}
}

// diagnosis is a search for the origin of a signature.
type diagnosis struct {
	sum  []byte
	form string // its encoding, if that is not the expected one
}

// diagnose returns which key, text and formula make the given signature; empty if none does. It tries the keys that
// apply to the callback first, then all others, with which it may have been signed by mistake.
func diagnose(given string, applicable, all []Key, t signedTexts) string {
	var d diagnosis
	if d.sum, d.form = decodeAny(given); len(d.sum) < minDiagnosedBytes {
		return ""
	}
	for _, k := range applicable {
		if found := d.search(keyVariants(k.Secret), t.likely, formulas()); found != "" {
			return found
		}
		if found := d.search([]candidate{{k.Secret, ""}}, t.others, formulas()[:1]); found != "" {
			return found
		}
	}
	for _, k := range all {
		if found := d.search([]candidate{{k.Secret, ""}}, t.likely, formulas()); found != "" {
			return found + describeForeignKey(k, applicable)
		}
	}
	return ""
}

func (d diagnosis) search(secrets, over []candidate, by []formula) string {
	for _, secret := range secrets {
		for _, text := range over {
			for _, f := range by {
				if made := f.sum(secret.value, text.value); bytes.HasPrefix(made, d.sum) {
					formula := f.name + text.description
					return formula + secret.description + d.form + describeTruncation(made, d.sum) + describeScheme(formula)
				}
			}
		}
	}
	return ""
}

// describeScheme returns which scheme of the provider a formula is.
func describeScheme(formula string) string {
	switch formula {
	case "MD5 over the key and auth_timestamp":
		return "; that is the sign type MD5 of recordings: set HMACSHA256 at the provider, or RECORD_SIGN_TYPE=MD5 here"
	case "HMAC-SHA256 over the key and auth_timestamp":
		return "; that is the formula of 2021: set RECORD_SIGN_TYPE=HMACSHA256-LEGACY"
	case "HMAC-SHA256 over auth_timestamp + event_type + publish_domain + app + stream + download_url + play_url":
		return "; that is the sign type HMACSHA256 of recordings"
	case "HMAC-SHA256 over event + domain + app + stream + auth_timestamp":
		return "; that is the scheme of stream status"
	}
	return ""
}

func describeForeignKey(k Key, applicable []Key) string {
	if slices.Contains(applicable, k) {
		return ""
	}
	return fmt.Sprintf(", with the key %s of %v callbacks, which does not apply to this one", k.ID, k.Kind)
}

func describeTruncation(made, sum []byte) string {
	if len(made) == len(sum) {
		return ""
	}
	return fmt.Sprintf(", cut to %d of %d digits", hex.EncodedLen(len(sum)), hex.EncodedLen(len(made)))
}

// decodeAny decodes a signature in any usual encoding, and returns which if it is not plain hex.
func decodeAny(given string) (sum []byte, form string) {
	text := strings.TrimSpace(given)
	for _, prefix := range []string{"sha256=", "SHA256=", "md5=", "0x"} {
		text = strings.TrimPrefix(text, prefix)
	}
	if text != given {
		form = ", with extra characters around its digits"
	}
	if sum, err := hex.DecodeString(text); err == nil {
		return sum, form
	}
	for _, e := range []*base64.Encoding{
		base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding,
	} {
		if sum, err := e.DecodeString(text); err == nil {
			return sum, ", encoded in base64 instead of hex"
		}
	}
	return nil, ""
}

// keyVariants returns a key and what the usual mistakes turn it into; the key itself comes first.
func keyVariants(secret string) []candidate {
	all := []candidate{
		{secret, ""},
		{secret + "\n", ", with a line end after the key"},
		{secret + "\r\n", ", with a line end (CR LF) after the key"},
		{secret + " ", ", with a space after the key"},
		{" " + secret, ", with a space before the key"},
		{`"` + secret + `"`, ", with the key in quotes"},
		{cleanKey(secret), ", with the key without quotes or a variable name: it " + KeyProblem(secret)},
		{strings.ToLower(secret), ", with the key in lower case"},
		{strings.ToUpper(secret), ", with the key in upper case"},
		{"", ", with an empty key"},
	}
	if b, err := hex.DecodeString(secret); err == nil {
		all = append(all, candidate{string(b), ", with the key decoded from hex"})
	}
	if b, err := base64.StdEncoding.DecodeString(secret); err == nil {
		all = append(all, candidate{string(b), ", with the key decoded from base64"})
	}
	for _, n := range []int{32, 64} {
		if len(secret) > n {
			all = append(all, candidate{secret[:n], fmt.Sprintf(", with the key cut to %d characters", n)})
		}
	}
	return all
}
