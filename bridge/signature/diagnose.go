package signature

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
)

// minDiagnosedBytes is the fewest bytes of a signature that a guess is made by: fewer would fit something by chance.
const minDiagnosedBytes = 8

// candidate is one way to read a text or a key: the value, and how it comes from what should be there.
type candidate struct{ value, description string }

// signedTexts are what a signature may be over: likely ones, which every mistake with the key is tried with as well, and many
// others.
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
	behind := func(f func(key, text string) []byte) func(key, text string) []byte {
		return func(key, text string) []byte { return f("", text+key) }
	}
	return []formula{
		{"HMAC-SHA256 over ", mac(sha256.New)},
		{"HMAC-SHA256 over the key and ", func(key, text string) []byte { return mac(sha256.New)(key, key+text) }},
		{"MD5 over the key and ", plain(md5.New)},
		{"MD5 with the key behind ", behind(plain(md5.New))},
		{"SHA-256 over the key and ", plain(sha256.New)},
		{"SHA-256 with the key behind ", behind(plain(sha256.New))},
		{"HMAC-SHA1 over ", mac(sha1.New)},
		{"HMAC-MD5 over ", mac(md5.New)},
	}
}

// diagnosis knows a signature that nothing explains yet.
type diagnosis struct {
	sum  []byte
	form string // how it is written, where that is not as it should be
}

// diagnose tells which key, text and formula make the given signature; empty where none does. The keys that judge the
// callback come first, then all others, which it may have been signed with by mistake.
func diagnose(given string, judging, all []*key, t signedTexts) string {
	var d diagnosis
	if d.sum, d.form = decodeAny(given); len(d.sum) < minDiagnosedBytes {
		return ""
	}
	for _, k := range judging {
		if found := d.search(readKey(k.secret), t.likely, formulas()); found != "" {
			return found
		}
		if found := d.search([]candidate{{k.secret, ""}}, t.others, formulas()[:1]); found != "" {
			return found
		}
	}
	for _, k := range all {
		if found := d.search([]candidate{{k.secret, ""}}, t.likely, formulas()); found != "" {
			return found + describeForeignKey(k, judging)
		}
	}
	return ""
}

func (d diagnosis) search(secrets, over []candidate, by []formula) string {
	for _, secret := range secrets {
		for _, text := range over {
			for _, f := range by {
				if made := f.sum(secret.value, text.value); bytes.HasPrefix(made, d.sum) {
					return f.name + text.description + secret.description + d.form + describeTruncation(made, d.sum) + describeScheme(f.name+text.description)
				}
			}
		}
	}
	return ""
}

// describeScheme says which scheme of the provider a formula is.
func describeScheme(formula string) string {
	switch formula {
	case "MD5 over the key and auth_timestamp":
		return "; that is the sign type MD5 of recordings: have HMACSHA256 at the provider, or RECORD_SIGN_TYPE=MD5 here"
	case "HMAC-SHA256 over the key and auth_timestamp":
		return "; that is the formula of 2021: RECORD_SIGN_TYPE=HMACSHA256-LEGACY"
	case "HMAC-SHA256 over auth_timestamp + event_type + publish_domain + app + stream + download_url + play_url":
		return "; that is the sign type HMACSHA256 of recordings"
	case "HMAC-SHA256 over event + domain + app + stream + auth_timestamp":
		return "; that is the scheme of stream status"
	}
	return ""
}

func describeForeignKey(k *key, judging []*key) string {
	if slices.Contains(judging, k) {
		return ""
	}
	return fmt.Sprintf(", with the key %s of %v callbacks, which does not judge this one", k.name.id, k.name.kind)
}

func describeTruncation(made, sum []byte) string {
	if len(made) == len(sum) {
		return ""
	}
	return fmt.Sprintf(", cut to %d of %d digits", hex.EncodedLen(len(sum)), hex.EncodedLen(len(made)))
}

// decodeAny reads a signature however it is written, and says how when that is not hex.
func decodeAny(given string) (sum []byte, form string) {
	text := strings.TrimSpace(given)
	for _, prefix := range []string{"sha256=", "SHA256=", "md5=", "0x"} {
		text = strings.TrimPrefix(text, prefix)
	}
	if text != given {
		form = ", with something around its digits"
	}
	if sum, err := hex.DecodeString(text); err == nil {
		return sum, form
	}
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if sum, err := e.DecodeString(text); err == nil {
			return sum, ", written in base64 and not in hex"
		}
	}
	return nil, ""
}

// readKey returns what a key becomes by the usual mistakes, the key itself first.
func readKey(secret string) []candidate {
	all := []candidate{
		{secret, ""}, {secret + "\n", ", with a line end behind the key"}, {secret + "\r\n", ", with a line end (CR LF) behind the key"},
		{secret + " ", ", with a space behind the key"}, {" " + secret, ", with a space before the key"}, {`"` + secret + `"`, ", with the key in quotes"},
		{cleanKey(secret), ", with the key as it is without quotes or a name before it: it " + KeyProblem(secret)},
		{strings.ToLower(secret), ", with the key in lower case"}, {strings.ToUpper(secret), ", with the key in upper case"}, {"", ", with an empty key"},
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

// diagnoseLive tries the texts that a Live callback may have been signed over.
func (r *Ring) diagnoseLive(c Claim) string {
	var judging []*key
	if set, err := r.tableOf(c.Kind).choose(c.Domain, c.App); err == nil {
		judging = set.list
	}
	return diagnose(c.Sign, judging, r.allKeys, liveTexts(&c))
}

// diagnoseRTC tries those of a SparkRTC callback.
func (r *Ring) diagnoseRTC(c RTCClaim) string {
	set, _, _ := r.chooseRTC(&c)
	if set == nil {
		set = r.rtc.all
	}
	return diagnose(c.Sign, set.list, r.allKeys, rtcTexts(&c))
}
