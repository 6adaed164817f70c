package checker

import (
	"slices"
	"strings"

	"livebridge/bridge"
)

// typePrefixes begin the types of each kind.
var typePrefixes = map[string]string{
	bridge.KindStream.String():    "com.huaweicloud.live.stream",
	bridge.KindRecord.String():    "com.huaweicloud.live.record",
	bridge.KindSnapshot.String():  "com.huaweicloud.live.snapshot",
	bridge.KindRTCRecord.String(): "com.huaweicloud.rtc.record",
}

// eventType returns the type of the event that the occurrence becomes.
func (o Occurrence) eventType() string {
	begin := typePrefixes[o.Kind]
	if o.Kind == bridge.KindSnapshot.String() {
		return begin + ".created"
	}
	name := strings.TrimPrefix(strings.TrimPrefix(o.Event, "CLOUD_"), "RECORD_")
	if t := begin + "." + strings.ToLower(name); name != "" && slices.Contains(bridge.EventTypes(), t) {
		return t
	}
	return begin + bridge.TypeUnknownSuffix
}

// leftOut reports whether PUBLISH_TYPES does not have the type of an occurrence.
func (c *Checker) leftOut(o Occurrence) bool {
	return !o.unreadable() && !c.config.Types.Has(o.eventType())
}

// partial reports whether lanes of stream status have seen what was not published: then their output does not show why
// an event has the marks that it has.
func (c *Config) partial() bool {
	for _, name := range []string{"PUBLISH", "PUBLISH_DONE"} {
		if !c.Types.Has(Occurrence{Kind: bridge.KindStream.String(), Event: name}.eventType()) {
			return true
		}
	}
	return false
}
