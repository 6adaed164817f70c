package bridge

import (
	"errors"
	"fmt"
	"path"
	"strings"
)

// EventTypes returns every CloudEvents type that an event of a lane can have, but for TypeQuarantined: notices go to a
// topic of their own.
func EventTypes() []string {
	return []string{
		"com.huaweicloud.live.stream.publish",
		"com.huaweicloud.live.stream.publish_done",
		"com.huaweicloud.live.stream" + TypeUnknownSuffix,
		"com.huaweicloud.live.record.start",
		"com.huaweicloud.live.record.new_file_start",
		"com.huaweicloud.live.record.file_complete",
		"com.huaweicloud.live.record.over",
		"com.huaweicloud.live.record.failed",
		"com.huaweicloud.live.record" + TypeUnknownSuffix,
		"com.huaweicloud.live.snapshot.created",
		"com.huaweicloud.live.session.missed",
		"com.huaweicloud.live.session.stale",
		"com.huaweicloud.live.session.ended",
		"com.huaweicloud.rtc.record.new_file_start",
		"com.huaweicloud.rtc.record.file_complete",
		"com.huaweicloud.rtc.record.server_over",
		"com.huaweicloud.rtc.record" + TypeUnknownSuffix,
	}
}

// TypeSet is a set of event types; nil has every type in it. One of SelectTypes always has TypeQuarantined.
type TypeSet map[string]bool

// Has reports whether the type is in the set.
func (s TypeSet) Has(eventType string) bool { return s == nil || s[eventType] }

// SelectTypes returns the types that match one of the globs, in the syntax of path.Match, spaces around them left
// out; without globs every type. A
// glob that matches no type is an error, since it is a misspelling.
func SelectTypes(globs []string) (TypeSet, error) {
	if len(globs) == 0 {
		return nil, nil
	}
	selected := TypeSet{TypeQuarantined: true}
	var errs []error
	for _, glob := range globs {
		errs = append(errs, selected.add(strings.TrimSpace(glob)))
	}
	return selected, errors.Join(errs...)
}

// add puts the types that match the glob into the set.
func (s TypeSet) add(glob string) error {
	found := false
	for _, t := range EventTypes() {
		matches, err := path.Match(glob, t)
		if err != nil {
			return fmt.Errorf("invalid glob %q: %w", glob, err)
		}
		if matches {
			s[t], found = true, true
		}
	}
	if !found {
		return fmt.Errorf("%q matches no event type", glob)
	}
	return nil
}
