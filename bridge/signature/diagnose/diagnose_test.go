package diagnose_test

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"net/url"
	"strings"
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/signature/diagnose"
)

const (
	mixed   = "Ab0123456789Ab0123456789Ab0123456789Ab01"
	coded   = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZn" // the base64 of ABC…
	foreign = "0123456789abcdef0123456789abcdef"
	expires = "1587954140"
)

// claim is a Live callback as the fields that it signs.
type claim []diagnose.Field

func stream() claim {
	return claim{{"event", "PUBLISH"}, {"domain", "Push.example.com"}, {"app", "live"}, {"stream", "room1"},
		{"auth_timestamp", expires}}
}

func recording() claim {
	return claim{{"auth_timestamp", expires}, {"event_type", "RECORD_START"}, {"publish_domain", "push.example.com"},
		{"app", "live"}, {"stream", "room1"}, {"download_url", "https://obs.example.com/a b.m3u8"}, {"play_url", ""}}
}

// with returns the callback with another value of a field.
func (c claim) with(name, value string) claim {
	out := append(claim(nil), c...)
	for i := range out {
		if out[i].Name == name {
			out[i].Value = value
		}
	}
	return out
}

func (c claim) text(separator string) string {
	var values []string
	for _, f := range c {
		values = append(values, f.Value)
	}
	return strings.Join(values, separator)
}

// other returns the fields that a callback of the other kind with these values would sign.
func (c claim) other() claim {
	value := func(name string) string {
		for _, f := range c {
			if strings.HasSuffix(f.Name, name) || strings.HasPrefix(f.Name, name) {
				return f.Value
			}
		}
		return ""
	}
	event, domain, app, name := value("event"), value("domain"), value("app"), value("stream")
	if c[0].Name == "event" {
		return claim{{"auth_timestamp", expires}, {"event_type", event}, {"publish_domain", domain}, {"app", app},
			{"stream", name}, {"download_url", ""}, {"play_url", ""}}
	}
	return claim{{"event", event}, {"domain", domain}, {"app", app}, {"stream", name}, {"auth_timestamp", expires}}
}

func sum(h func() hash.Hash, key string, parts ...string) string {
	m := hmac.New(h, []byte(key))
	for _, p := range parts {
		m.Write([]byte(p))
	}
	return hex.EncodeToString(m.Sum(nil))
}

func mac(key, text string) string { return sum(sha256.New, key, text) }

func key(secret string) diagnose.Key {
	return diagnose.Key{Secret: secret, ID: "id of " + secret[:4], Kind: bridge.KindRTCRecord}
}

// check fails unless the diagnosis is the one that is wanted and shows no key.
func check(t *testing.T, sign, got, want string) {
	t.Helper()
	if (got == "") != (want == "") || !strings.Contains(got, want) {
		t.Errorf("%s: %q, want %q", sign, got, want)
	}
	for _, secret := range []string{mixed, coded, foreign} {
		if strings.Contains(got, secret) {
			t.Errorf("the diagnosis shows the key: %s", got)
		}
	}
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestLive: signatures with one mistake, and the diagnosis of each.
func TestLive(t *testing.T) {
	s, r := stream(), recording()
	text, recordText := s.text(""), r.text("")
	digest := md5.Sum([]byte(mixed + expires))
	raw := unhex(t, mac(mixed, text))
	for _, tt := range []struct {
		claim      claim
		sign, want string
	}{
		{s, mac(mixed, text), "HMAC-SHA256 over event + domain + app + stream + auth_timestamp; that is the scheme of " +
			"stream"},
		{r, hex.EncodeToString(digest[:]), "MD5 over the key and auth_timestamp; that is the sign type MD5"},
		{r, mac(mixed, mixed+expires), "HMAC-SHA256 over the key and auth_timestamp; that is the formula of 2021"},
		{r, mac(mixed, expires), "HMAC-SHA256 over auth_timestamp"},
		{r, mac(mixed, recordText), "that is the sign type HMACSHA256 of recordings"},
		{s, mac(mixed+"\n", text), "with a line end after the key"},
		{s, mac(mixed+"\r\n", text), "with a line end (CR LF) after the key"},
		{s, mac(mixed+" ", text), "with a space after the key"},
		{s, mac(" "+mixed, text), "with a space before the key"},
		{s, mac(strings.ToLower(mixed), text), "with the key in lower case"},
		{s, mac(strings.ToUpper(mixed), text), "with the key in upper case"},
		{s, mac(`"`+mixed+`"`, text), "with the key in quotes"},
		{s, mac("", text), "with an empty key"},
		{s, mac(mixed[:32], text), "with the key cut to 32 characters"},
		{s, mac(string(unhex(t, mixed)), text), "with the key decoded from hex"},
		{s, mac(foreign, text), "the key id of 0123 of rtc-record callbacks, which does not apply to this one"},
		{s, base64.StdEncoding.EncodeToString(raw), "encoded in base64"},
		{s, "sha256=" + mac(mixed, text), "extra characters around its digits"},
		{s, mac(mixed, text)[:32], "cut to 32 of 64 digits"},
		{s, sum(sha1.New, mixed, text), "HMAC-SHA1 over event + domain"},
		{s, sum(md5.New, mixed, text), "HMAC-MD5 over event + domain"},
		{s, mac(mixed, strings.ToLower(text)), "in lower case"},
		{s, mac(mixed, strings.Replace(text, "Push", "push", 1)), "the domain in lower case"},
		{s, mac(mixed, s.text("&")), "with '&' between them"},
		{s, mac(mixed, s.text("\n")), "with a line end between them"},
		{s, mac(mixed, s.other().text("")), "auth_timestamp + event_type + publish_domain + app + stream"},
		{s, mac(mixed, "Push.example.comliveroom1PUBLISH"+expires),
			"domain + app + stream + event + auth_timestamp: another order"},
		{s, mac(mixed, "PUBLISHPush.example.comliveroom1"), "event + domain + app + stream: a field is missing"},
		{s, mac(mixed, "PUBLISHlive"+expires), "event + app + auth_timestamp: a field is missing"},
		{s, mac(mixed, text+"000"), "auth_timestamp in milliseconds"},
		{r, mac(mixed, r.with("download_url", url.QueryEscape(r[5].Value)).text("")), "URL-encoded"},
		{r, mac(mixed, strings.ReplaceAll(recordText, "/", `\/`)), "slashes escaped as in JSON"},
		{r, mac(mixed, recordText+"null"), "absent ones as null"},
		{r, mac(mixed, r.with("download_url", "").text("")), "a field is missing"},
		{s.with("stream", "a%20b"), mac(mixed, s.with("stream", "a b").text("")), "URL-decoded"},
		{s.with("app", "a%zz").with("stream", "b%20c"), mac(mixed, s.with("app", "a%zz").with("stream", "b c").text("")),
			"URL-decoded"},
		{s.with("app", " live "), mac(mixed, text), "without white space around them"},
		{s, mac(strings.Repeat("x", 32), text), ""},
		{s, "nonsense", ""}, {s, "", ""}, {s, "00", ""},
	} {
		keys := []diagnose.Key{key(mixed)}
		got := diagnose.Live(tt.sign, expires, tt.claim, tt.claim.other(), keys, append(keys, key(foreign)))
		check(t, tt.sign, got, tt.want)
	}
}

// TestEncodings: how a signature and a key may be written.
func TestEncodings(t *testing.T) {
	s := stream()
	text := s.text("")
	inner, err := base64.StdEncoding.DecodeString(coded)
	if err != nil {
		t.Fatal(err)
	}
	raw := unhex(t, mac(coded, text))
	for _, tt := range []struct{ sign, want string }{
		{mac(string(inner), text), "with the key decoded from base64"},
		{mac(coded, text)[:16], "cut to 16 of 64 digits"}, {mac(coded, text)[:14], ""},
		{base64.StdEncoding.EncodeToString(raw), "encoded in base64"},
		{base64.RawStdEncoding.EncodeToString(raw), "encoded in base64"},
		{base64.URLEncoding.EncodeToString(raw), "encoded in base64"},
		{base64.RawURLEncoding.EncodeToString(raw), "encoded in base64"},
		{mac(coded[:32], text), "with the key cut to 32 characters"},
	} {
		keys := []diagnose.Key{key(coded)}
		got := diagnose.Live(tt.sign, expires, s, s.other(), keys, keys)
		check(t, tt.sign, got, tt.want)
		if strings.Contains(tt.want, "base64") && strings.Contains(got, "cut to") {
			t.Errorf("%s: %q, though all of it is there", tt.sign, got)
		}
	}
}

// TestRTC: the headers and the body in other orders, or without a part.
func TestRTC(t *testing.T) {
	const rand, timestamp, body = "123456", "1619600000", `{"a":1}`
	keys := []diagnose.Key{key(mixed)}
	for _, tt := range []struct{ text, body, want string }{
		{rand + timestamp + body, body, "HMAC-SHA256 over X-Rtc-Rand, X-Rtc-Timestamp and the body"},
		{rand + timestamp + body, body + "\n", "without its trailing line end"},
		{rand + timestamp + body + "\n", body, "with a trailing line end"},
		{timestamp + rand + body, body, "another order"},
		{body + rand + timestamp, body, "another order"},
		{rand + timestamp, body, "without the body"},
		{body, body, "the body alone"},
		{timestamp + body, body, "X-Rtc-Timestamp and the body"},
		{rand + body, body, "X-Rtc-Rand and the body"},
		{"something else", body, ""},
	} {
		sign := mac(mixed, tt.text)
		check(t, sign, diagnose.RTC(sign, rand, timestamp, tt.body, keys, keys), tt.want)
	}
}
