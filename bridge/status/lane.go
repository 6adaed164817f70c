package status

import (
	"strings"

	"livebridge/bridge"
)

// splitLane splits the name of a lane, such as stream:push.example.com/live/room1, into kind and subject.
func splitLane(name string) (kind, subject string, ok bool) {
	kind, subject, _ = strings.Cut(name, ":")
	_, known := bridge.ParseKind(kind)
	return kind, subject, known && strings.Count(subject, "/") == 2
}
