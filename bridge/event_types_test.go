package bridge_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"livebridge/bridge"
	"livebridge/schemas"
)

// TestEventTypes: the types are those of the schema of events, with the notices of the quarantine.
func TestEventTypes(t *testing.T) {
	text, err := schemas.Schema("event")
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Properties struct{ Type struct{ Enum []string } }
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	if want := append(bridge.EventTypes(), bridge.TypeQuarantined); !slices.Equal(schema.Properties.Type.Enum, want) {
		t.Errorf("the schema has %q, want %q", schema.Properties.Type.Enum, want)
	}
}

// TestSelectTypes: a glob selects every type that it matches, several select what any of them does, and none at all
// everything. Notices of the quarantine are always in.
func TestSelectTypes(t *testing.T) {
	for globs, want := range map[string]string{
		"*.stream.publish": "live.stream.publish",
		"*.record.file_complete, *.stream.pub*": "live.record.file_complete live.stream.publish " +
			"live.stream.publish_done rtc.record.file_complete",
		"com.huaweicloud.rtc.*": "rtc.record.file_complete rtc.record.new_file_start " +
			"rtc.record.server_over rtc.record.unknown",
		"*.live.s[nm]*": "live.snapshot.created",
	} {
		set, err := bridge.SelectTypes(strings.Split(globs, ","))
		var got []string
		for _, name := range slices.Sorted(maps.Keys(set)) {
			if set.Has(name) && name != bridge.TypeQuarantined {
				got = append(got, strings.TrimPrefix(name, "com.huaweicloud."))
			}
		}
		if err != nil || strings.Join(got, " ") != want || !set.Has(bridge.TypeQuarantined) || set.Has("another") {
			t.Errorf("%s: %q, %v, want %q", globs, got, err, want)
		}
	}
	if set, err := bridge.SelectTypes(nil); err != nil || !set.Has("another") {
		t.Errorf("without globs: %v, %v", set, err)
	}
	if set, err := bridge.SelectTypes([]string{"*"}); err != nil || len(set) != len(bridge.EventTypes())+1 {
		t.Errorf("*: %v, %v", set, err)
	}
}

// TestWrongGlobs: each is named, with what is wrong.
func TestWrongGlobs(t *testing.T) {
	_, err := bridge.SelectTypes([]string{"[", "*.publish", "*.stream.started", ""})
	const want = "invalid glob \"[\": syntax error in pattern\n\"*.stream.started\" matches no event type\n" +
		"\"\" matches no event type"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
