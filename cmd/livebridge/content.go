package main

import (
	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// checkTypes rejects globs that are none, or match no type of event.
func (s *settings) checkTypes() []error {
	_, err := bridge.SelectTypes(s.PublishTypes)
	if err == nil {
		return nil
	}
	return []error{bridge.NewSettingError("PUBLISH_TYPES", err, "see the types in schemas/README.md, such as "+
		"*.live.stream.* or *.record.file_complete; quarantine notices have QUARANTINE_TOPIC instead")}
}

// checkSessions rejects a limit without events, and one that outlives what a lane remembers.
func (s *settings) checkSessions() []error {
	switch {
	case s.SessionStaleAfter > 0 && !s.SessionEvents:
		return []error{settingError("SESSION_STALE_AFTER", "set SESSION_EVENTS=true too, or SESSION_STALE_AFTER=0s",
			"without SESSION_EVENTS no session is followed")}
	case s.SessionStaleAfter > processor.ForgetOpen:
		return []error{settingError("SESSION_STALE_AFTER", "use 720h or less",
			"%v is longer than a push without an end is remembered", s.SessionStaleAfter)}
	}
	return nil
}
