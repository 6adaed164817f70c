package provider_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"

	"livebridge/bridge/provider"
	"livebridge/bridge/provider/providertest"
)

const wantedFile = `
domains: [other.example.com]
callbacks:
  - kind: stream
    domain: push.example.com
    url: https://bridge.example.com/live/stream
    key: {env: STREAM_KEY}
    call_back_area: outside_mainland_china
  - kind: record
    domain: push.example.com
    app: "**"
    url: https://bridge.example.com/live/record
    key: {file: record.key}
  - kind: record
    domain: push.example.com
    app: vip
    url: https://bridge.example.com/live/record
    key: {env: STREAM_KEY}
    sign_type: MD5
    events: [RECORD_FILE_COMPLETE]
  - kind: snapshot
    domain: push.example.com
    app: live
    url: https://bridge.example.com/live/snapshot/token
    pictures: {interval: 10, overwrite: true, bucket: pictures, location: cn-north-4, snapshot_mode: random}
  - kind: rtc-record
    app: 5fd6f2e5example
    url: https://bridge.example.com/rtc/record
    key: {env: STREAM_KEY}
`

// lookup returns the keys of wantedFile.
func lookup(r provider.KeyReference) (provider.Key, error) {
	switch {
	case r.Env == "STREAM_KEY":
		return key, nil
	case r.File == "record.key":
		return otherKey, nil
	}
	return "", os.ErrNotExist
}

func parse(t *testing.T, text string) *provider.File {
	t.Helper()
	f, err := provider.ParseFile([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Resolve(lookup); err != nil {
		t.Fatal(err)
	}
	return f
}

// apply plans and makes the changes until one fails.
func apply(t *testing.T, c *provider.Client, f *provider.File, o provider.PlanOptions) (made int, err error) {
	t.Helper()
	registered, err := provider.Registered(t.Context(), c, f.Scope())
	if err != nil {
		return 0, err
	}
	changes, err := f.Plan(registered, o)
	if err != nil {
		t.Fatal(err)
	}
	for n, change := range changes {
		if err := change.Do(t.Context(), c); err != nil {
			return n, err
		}
	}
	return len(changes), nil
}

func TestApplyRegistersWhatTheFileWantsAndThenNothing(t *testing.T) {
	p, c := open(t)
	f := parse(t, wantedFile)
	for _, want := range []int{5, 0} {
		if made, err := apply(t, c, f, provider.PlanOptions{}); err != nil || made != want {
			t.Errorf("%d changes, %v; want %d", made, err, want)
		}
	}
	all := p.Registered()
	if len(all) != 5 || all[1].App != "*" || all[1].Key.Reveal() != otherKey.Reveal() || len(all[1].Events) != 5 ||
		all[1].SignType != provider.SignHMAC || all[2].SignType != provider.SignMD5 {
		t.Errorf("registered %+v", all)
	}
}

func TestApplyChangesFieldsAndDeletesTheRest(t *testing.T) {
	p, c := open(t)
	if _, err := apply(t, c, parse(t, wantedFile), provider.PlanOptions{}); err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(wantedFile, "outside_mainland_china", "mainland_china", 1)
	text = strings.Replace(text, "interval: 10", "interval: 20", 1)
	text = strings.Replace(text, "app: vip", "app: gold", 1)
	f := parse(t, strings.Replace(text, "/rtc/record", "/tenant/rtc/record", 1))
	registered, err := provider.Registered(t.Context(), c, f.Scope())
	if err != nil {
		t.Fatal(err)
	}
	changes, err := f.Plan(registered, provider.PlanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, change := range changes {
		text := fmt.Sprint(change.Action, " ", change.Callback.Place)
		for _, field := range change.Fields {
			text += fmt.Sprintf(" %s", field.Name)
		}
		got = append(got, text)
	}
	want := []string{"update stream push.example.com call_back_area", "create record push.example.com/gold",
		"update snapshot push.example.com/live interval", "update rtc-record 5fd6f2e5example url",
		"delete record push.example.com/vip"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("planned\n%s", strings.Join(got, "\n"))
	}
	if kept, err := f.Plan(registered, provider.PlanOptions{KeepOthers: true}); err != nil || len(kept) != 4 {
		t.Errorf("with KeepOthers %d changes, %v", len(kept), err)
	}
	if _, err := apply(t, c, f, provider.PlanOptions{}); err != nil {
		t.Fatal(err)
	}
	if all := p.Registered(); len(all) != 5 || all[2].App != "gold" || all[3].Pictures.Extra["snapshot_mode"] != "random" {
		t.Errorf("registered %+v", all)
	}
}

// TestApplyGoesOnWhereItFailed fails at each request in turn: before it takes effect, and after, when only the answer
// is lost. The next apply does what is left, and the one after that nothing.
func TestApplyGoesOnWhereItFailed(t *testing.T) {
	for _, late := range []bool{false, true} {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete} {
			for after := range 4 {
				t.Run(fmt.Sprintf("%s %d late %v", method, after, late), func(t *testing.T) {
					checkFailure(t, providertest.Fault{Method: method, After: after, Times: 1, Status: 500, Late: late})
				})
			}
		}
	}
}

func checkFailure(t *testing.T, fault providertest.Fault) {
	t.Helper()
	p, c := open(t)
	f := parse(t, wantedFile)
	stale := callbacks()[1]
	stale.App = "old"
	for _, wanted := range []provider.Callback{stale, callbacks()[3]} { // one to delete, one to update
		wanted.Key = otherKey
		if _, err := c.Create(t.Context(), wanted); err != nil {
			t.Fatal(err)
		}
	}
	p.Fail(fault)
	_, failed := apply(t, c, f, provider.PlanOptions{})
	p.Heal()
	if _, err := apply(t, c, f, provider.PlanOptions{}); err != nil {
		t.Errorf("after %v: %v", failed, err)
	}
	if made, err := apply(t, c, f, provider.PlanOptions{}); err != nil || made != 0 {
		t.Errorf("the third apply made %d changes, %v", made, err)
	}
	all := p.Registered()
	if len(all) != 5 || all[4].Key.Reveal() != key.Reveal() || all[1].Key.Reveal() != otherKey.Reveal() {
		t.Errorf("registered %+v", all)
	}
}

// TestAHiddenKeyIsRegisteredOnRequest: the provider never shows the keys of recordings.
func TestAHiddenKeyIsRegisteredOnRequest(t *testing.T) {
	p, c := open(t)
	f := parse(t, wantedFile)
	if _, err := apply(t, c, f, provider.PlanOptions{}); err != nil {
		t.Fatal(err)
	}
	f.Callbacks[1].Key = key
	for o, want := range map[provider.PlanOptions]int{{}: 0, {RegisterKeys: true}: 2} {
		if made, err := apply(t, c, f, o); err != nil || made != want {
			t.Errorf("%+v: %d changes, %v", o, made, err)
		}
	}
	if got := p.Registered()[1].Key.Reveal(); got != key.Reveal() {
		t.Error("the key is not registered")
	}
}

// TestSnapshotsWithoutPicturesKeepTheRegisteredOnes.
func TestSnapshotsWithoutPicturesKeepTheRegisteredOnes(t *testing.T) {
	p, c := open(t)
	if _, err := c.Create(t.Context(), callbacks()[2]); err != nil {
		t.Fatal(err)
	}
	const text = "callbacks:\n" +
		"  - {kind: snapshot, domain: push.example.com, app: live, url: 'https://new.example.com/s'}\n"
	if made, err := apply(t, c, parse(t, text), provider.PlanOptions{}); err != nil || made != 1 {
		t.Errorf("%d changes, %v", made, err)
	}
	if got := p.Registered()[0]; got.URL != "https://new.example.com/s" || got.Pictures.Bucket != "pictures" {
		t.Errorf("registered %+v", got)
	}
	_, err := parse(t, strings.Replace(text, "live", "vip", 1)).Plan(nil, provider.PlanOptions{})
	if err == nil || !strings.Contains(err.Error(), "bucket") {
		t.Errorf("without anything registered: %v", err)
	}
}

func TestMistakesInTheFileAreNamed(t *testing.T) {
	const url, head = "url: 'https://b.example.com'", "callbacks:\n  - "
	const stream = "{kind: stream, domain: a.example.com, " + url
	for text, want := range map[string]string{
		head + "{kind: video, domain: a.example.com, " + url + "}":                  "kind \"video\"",
		head + "{kind: record, domain: a.example.com, " + url + "}":                 "app \"\"",
		head + "{kind: stream, domain: a.example.com}":                              "url \"\"",
		head + stream + ", keys: x}":                                                "field keys not found",
		head + stream + ", key: {}}":                                                "env and file",
		head + stream + ", key: " + key.Reveal() + "}":                              "{env: NAME}",
		head + stream + "}\n  - {kind: stream, domain: A.example.com, " + url + "}": "twice",
		"callbacks: 7":                      "wrong type",
		"callbacks: []\n---\ncallbacks: []": "use one",
	} {
		_, err := provider.ParseFile([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), key.Reveal()) ||
			strings.Contains(err.Error(), "provider.") {
			t.Errorf("%s\n%v", text, err)
		}
	}
	f, err := provider.ParseFile([]byte(strings.Replace(wantedFile, "record.key", "absent.key", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Resolve(lookup); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "absent.key") {
		t.Errorf("%v", err)
	}
}

// TestTheFileSurvivesItsOwnWriting: what is written is read as the same state.
func TestTheFileSurvivesItsOwnWriting(t *testing.T) {
	f := parse(t, wantedFile)
	var out strings.Builder
	if err := f.Write(&out); err != nil {
		t.Fatal(err)
	}
	if again := parse(t, out.String()); !reflect.DeepEqual(again, f) {
		t.Errorf("%+v\n%+v", again, f)
	}
	if strings.Contains(out.String(), key.Reveal()) {
		t.Error("a key is in the file")
	}
}
