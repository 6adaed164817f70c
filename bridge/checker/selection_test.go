package checker

import (
	"testing"

	"livebridge/bridge"
)

// TestOccurrenceTypes: every name of an event has its type.
func TestOccurrenceTypes(t *testing.T) {
	for want, o := range map[string]Occurrence{
		"com.huaweicloud.live.stream.publish":        {Kind: "stream", Event: "PUBLISH"},
		"com.huaweicloud.live.stream.publish_done":   {Kind: "stream", Event: "PUBLISH_DONE"},
		"com.huaweicloud.live.stream.unknown":        {Kind: "stream", Event: "PUBLISH_OTHER"},
		"com.huaweicloud.live.record.start":          {Kind: "record", Event: "RECORD_START"},
		"com.huaweicloud.live.record.new_file_start": {Kind: "record", Event: "RECORD_NEW_FILE_START"},
		"com.huaweicloud.live.record.file_complete":  {Kind: "record", Event: "RECORD_FILE_COMPLETE"},
		"com.huaweicloud.live.record.over":           {Kind: "record", Event: "RECORD_OVER"},
		"com.huaweicloud.live.record.failed":         {Kind: "record", Event: "RECORD_FAILED"},
		"com.huaweicloud.live.record.unknown":        {Kind: "record"},
		"com.huaweicloud.live.snapshot.created":      {Kind: "snapshot"},
		"com.huaweicloud.rtc.record.server_over":     {Kind: "rtc-record", Event: "CLOUD_RECORD_SERVER_OVER"},
		"com.huaweicloud.rtc.record.file_complete":   {Kind: "rtc-record", Event: "RECORD_FILE_COMPLETE"},
	} {
		if got := o.eventType(); got != want {
			t.Errorf("%+v has the type %s, want %s", o, got, want)
		}
	}
}

// TestTypesThatAreLeftOut: what PUBLISH_TYPES leaves out is not lost, and must not come out.
func TestTypesThatAreLeftOut(t *testing.T) {
	types, err := bridge.SelectTypes([]string{"*.publish_done"})
	if err != nil {
		t.Fatal(err)
	}
	sent := func(event string) Sent {
		return Sent{Status: 200,
			Occurrence: Occurrence{Kind: "stream", Subject: "d/a/s", Event: event, Session: 5, Name: "n"}}
	}
	all := []Sent{sent("PUBLISH"), sent("PUBLISH_DONE")}
	if r := Check(Config{}, all, nil); r.Count(FaultLost) != 2 {
		t.Errorf("without the setting: %v", r.Faults)
	}
	if r := Check(Config{Types: types}, all, nil); r.Count(FaultLost) != 1 {
		t.Errorf("of two, one of which is left out: %v", r.Faults)
	}
}
