package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"livebridge/bridge"
)

// laneFilter selects a lane: the lane of one kind, or, without a kind, those of all kinds. The zero laneFilter selects
// all lanes.
type laneFilter struct{ kind, subject string }

// addLaneFlag adds --lane, which parseLane reads.
func addLaneFlag(c *cobra.Command, lane *string) {
	c.Flags().StringVar(lane, "lane", "",
		"only this `lane`: stream:push.example.com/live/room1, or without the kind for all kinds")
}

// parseLane parses a lane as logs and tables show it, kind:domain/app/stream, or as events do, without the kind.
func parseLane(text string) (laneFilter, error) {
	if text == "" {
		return laneFilter{}, nil
	}
	f := laneFilter{subject: text}
	if kind, subject, found := strings.Cut(text, ":"); found && !strings.Contains(kind, "/") {
		f = laneFilter{kind, subject}
		if !slices.Contains(strings.Split(kindNames(), ", "), kind) {
			return f, &usageError{fmt.Errorf("--lane %q: the kind %q is not one of %s", text, kind, kindNames())}
		}
	}
	if strings.Count(f.subject, "/") != 2 {
		return f, &usageError{errors.New("--lane " + fmt.Sprintf("%q", text) +
			": use kind:domain/app/stream, such as stream:push.example.com/live/room1")}
	}
	return f, nil
}

// kindNames returns the names of all kinds, separated by commas.
func kindNames() string {
	var names []string
	for _, k := range bridge.EventKinds() {
		names = append(names, k.String())
	}
	return strings.Join(names, ", ")
}

// kinds returns the kinds of the filter's lanes.
func (f laneFilter) kinds() []string {
	if f.kind != "" {
		return []string{f.kind}
	}
	return strings.Split(kindNames(), ", ")
}

// matches reports whether a lane is selected.
func (f laneFilter) matches(kind, subject string) bool {
	return (f.kind == "" || f.kind == kind) && (f.subject == "" || f.subject == subject)
}
