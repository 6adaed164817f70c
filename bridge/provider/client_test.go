package provider_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/provider"
	"livebridge/bridge/provider/providertest"
)

const (
	accessKey = "AKEXAMPLE"
	secretKey = "secret-of-the-access-key"
	project   = "0123456789abcdef"
	domain    = "push.example.com"
	key       = provider.Key("0123456789abcdef0123456789abcdef")
	otherKey  = provider.Key("fedcba9876543210fedcba9876543210")
)

// account is the credentials of the emulated account, for the environment.
func account(t *testing.T) {
	t.Helper()
	for name, text := range map[string]string{
		"AK": accessKey, "SK": secretKey, "PROJECT_ID": project, "SECURITY_TOKEN": "", "IDP_ID": "", "ID_TOKEN_FILE": "",
	} {
		t.Setenv("HUAWEICLOUD_SDK_"+name, text)
	}
}

// emulate returns an emulated provider and its URL.
func emulate(t *testing.T) (*providertest.Provider, string) {
	t.Helper()
	account(t)
	p := providertest.New(providertest.Config{
		AccessKey: accessKey, SecretKey: secretKey, Project: project, Domains: []string{domain, "other.example.com"},
	})
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	return p, server.URL
}

// open returns a client of an emulated provider.
func open(t *testing.T) (*providertest.Provider, *provider.Client) {
	t.Helper()
	p, url := emulate(t)
	c, err := provider.Open(provider.Config{Endpoint: url})
	if err != nil {
		t.Fatal(err)
	}
	return p, c
}

// callbacks returns a callback of every kind.
func callbacks() []provider.Callback {
	return []provider.Callback{
		{
			Place: provider.Place{Kind: bridge.KindStream, Domain: domain}, URL: "https://bridge.example.com/live/stream",
			Key: key, Area: provider.AreaOutside,
		},
		{
			Place: provider.Place{Kind: bridge.KindRecord, Domain: domain, App: provider.Wildcard}, Key: key,
			URL: "https://bridge.example.com/live/record", SignType: provider.SignHMAC, Events: provider.RecordEvents(),
		},
		{
			Place: provider.Place{Kind: bridge.KindSnapshot, Domain: domain, App: "live"}, Key: key,
			URL: "https://bridge.example.com/live/snapshot/token", Pictures: &provider.Pictures{
				Interval: 10, Overwrite: true, Bucket: "pictures", Location: "cn-north-4", Object: "snapshots",
				Extra: map[string]string{"snapshot_mode": "random", "image_access_protocol": "https"},
			},
		},
		{
			Place: provider.Place{Kind: bridge.KindRTCRecord, App: "5fd6f2e5example"}, Key: key,
			URL: "https://bridge.example.com/rtc/record",
		},
	}
}

// only returns the only callback of a kind.
func only(t *testing.T, c *provider.Client, place provider.Place) provider.Callback {
	t.Helper()
	all, err := c.List(t.Context(), provider.Query(place))
	if err != nil || len(all) != 1 {
		t.Fatalf("list of %v: %v, %v", place, all, err)
	}
	return all[0]
}

// as returns what the provider tells of a callback: no key of a recording, and nothing of times and ids here.
func as(c provider.Callback) provider.Callback {
	c.ID, c.Created, c.Updated = "", "", ""
	if c.Kind == bridge.KindRecord {
		c.Key, c.KeyHidden = "", true
	}
	return c
}

func TestEveryKindIsCreatedListedUpdatedAndDeleted(t *testing.T) {
	for _, wanted := range callbacks() {
		t.Run(wanted.Kind.String(), func(t *testing.T) {
			p, c := open(t)
			if all, err := c.List(t.Context(), provider.Query(wanted.Place)); err != nil || len(all) != 0 {
				t.Fatalf("before: %v, %v", all, err)
			}
			created, err := c.Create(t.Context(), wanted)
			if err != nil || (created.ID == "") == (wanted.Kind == bridge.KindRecord) {
				t.Fatalf("created %+v, %v", created, err)
			}
			if got := as(only(t, c, wanted.Place)); !reflect.DeepEqual(got, as(wanted)) {
				t.Errorf("created %+v, listed %+v", as(wanted), got)
			}
			created.URL, created.Key = "https://other.example.com/path", otherKey
			if _, err := c.Update(t.Context(), created); err != nil {
				t.Fatal(err)
			}
			if got := p.Registered()[0]; got.URL != created.URL || got.Key.Reveal() != otherKey.Reveal() {
				t.Errorf("updated to %+v", got)
			}
			checkDelete(t, c, created)
		})
	}
}

func checkDelete(t *testing.T, c *provider.Client, created provider.Callback) {
	t.Helper()
	err := c.Delete(t.Context(), created)
	var failed *provider.Error
	if created.Kind == bridge.KindRTCRecord {
		if !errors.As(err, &failed) || failed.Advice == "" {
			t.Errorf("delete: %v", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if created.Kind == bridge.KindSnapshot { // its pictures are still taken
		if got := only(t, c, created.Place); got.URL != "" || !reflect.DeepEqual(got.Pictures, created.Pictures) {
			t.Errorf("after delete: %+v", got)
		}
		return
	}
	if all, err := c.List(t.Context(), provider.Query(created.Place)); err != nil || len(all) != 0 {
		t.Errorf("after delete: %v, %v", all, err)
	}
}

// TestTheWildcardIsAcceptedInBothForms: the provider's pages have * in the text and ** in the example.
func TestTheWildcardIsAcceptedInBothForms(t *testing.T) {
	p, c := open(t)
	wanted := callbacks()[1]
	wanted.App = "**"
	if _, err := c.Create(t.Context(), wanted); err != nil {
		t.Fatal(err)
	}
	if got := p.Registered()[0].App; got != "*" {
		t.Errorf("registered for %q", got)
	}
	p.Register(provider.Callback{Place: provider.Place{Kind: bridge.KindRecord, Domain: "other.example.com", App: "**"}})
	if got := only(t, c, provider.Place{Kind: bridge.KindRecord, Domain: "other.example.com", App: "*"}); got.App != "*" {
		t.Errorf("listed for %q", got.App)
	}
}

// TestDomainsAreInLowerCase, whatever was registered: places are compared.
func TestDomainsAreInLowerCase(t *testing.T) {
	p, c := open(t)
	p.Register(provider.Callback{Place: provider.Place{Kind: bridge.KindRecord, Domain: "Push.Example.com", App: "live"}})
	all, err := c.List(t.Context(), provider.Query{Kind: bridge.KindRecord})
	if err != nil || len(all) != 1 || all[0].Domain != domain {
		t.Errorf("listed %v, %v", all, err)
	}
}

// TestListsAreReadToTheirEnd has more callbacks than the provider sends at once.
func TestListsAreReadToTheirEnd(t *testing.T) {
	_, c := open(t)
	const count = 230
	for n := range count {
		wanted := callbacks()[1]
		wanted.App = fmt.Sprintf("app%03d", n)
		if _, err := c.Create(t.Context(), wanted); err != nil {
			t.Fatal(err)
		}
	}
	all, err := c.List(t.Context(), provider.Query{Kind: bridge.KindRecord})
	if err != nil || len(all) != count || all[count-1].App != "app229" {
		t.Errorf("listed %d of %d, %v", len(all), count, err)
	}
}

func TestOnlineStreamsAreListed(t *testing.T) {
	p, c := open(t)
	for n := range 120 {
		p.Start(t.Context(), providertest.Push{Domain: domain, App: "live", Stream: fmt.Sprintf("room%03d", n)})
	}
	p.End(t.Context(), domain, "live", "room000")
	all, err := c.Online(t.Context(), domain, "")
	if err != nil || len(all) != 119 || all[0].Name != "room001" || all[0].App != "live" || all[0].Started.IsZero() {
		t.Errorf("%d online, %v", len(all), err)
	}
}

// TestKeysAreNeverPrinted prints callbacks in every way that the standard library has.
func TestKeysAreNeverPrinted(t *testing.T) {
	c := callbacks()[0]
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if text := fmt.Sprintf(verb, c) + fmt.Sprintf(verb, c.Key); strings.Contains(text, key.Reveal()) ||
			strings.Contains(text, fmt.Sprintf("%x", key.Reveal())) {
			t.Errorf("%s prints the key: %s", verb, text)
		}
	}
}
