package nats

import (
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"livebridge/bridge"
)

// errNoStream is the answer of a server on which no stream listens to the subject.
var errNoStream = errors.New("no stream takes the subject")

// otherStream is the answer of a stream that is not the one expected.
type otherStream struct{ name, want string }

// Error names both streams.
func (e *otherStream) Error() string {
	return fmt.Sprintf("acknowledged by stream %q instead of %s: retrying until %s acknowledges the event",
		e.name, e.want, e.want)
}

// Codes of the server's answers to a message.
const (
	tooLarge         jetstream.ErrorCode = 10054 // above the stream's limit of now
	headersTooLarge  jetstream.ErrorCode = 10097
	unexpectedStream jetstream.ErrorCode = 10060
)

// classify tells what the broker will never take from what it may take later: a message that is too large or not well
// formed, and everything else, a full stream included.
func classify(err error) error {
	var api *jetstream.APIError
	switch {
	case errors.Is(err, nats.ErrMaxPayload), errors.Is(err, nats.ErrBadSubject), errors.Is(err, nats.ErrBadHeaderMsg):
		return bridge.Rejected("NATS: %w", err)
	case errors.As(err, &api) && (api.ErrorCode == tooLarge || api.ErrorCode == headersTooLarge):
		return bridge.Rejected("NATS: %w", err)
	}
	return bridge.Unavailable("NATS: %w", err)
}

// contradictsCheck reports whether an answer to a message puts in question what was known of the stream.
func contradictsCheck(err error) bool {
	var other *otherStream
	var api *jetstream.APIError
	return errors.Is(err, errNoStream) || errors.As(err, &other) ||
		errors.As(err, &api) && api.ErrorCode == unexpectedStream
}

// unusableError is a stream, a limit or a permission that keeps events from being published until somebody mends it.
type unusableError struct{ text string }

// Error says what is wrong and what to do.
func (m *unusableError) Error() string { return m.text }

// SettingError is a setting that cannot be used.
type SettingError struct {
	Setting string
	Err     error
}

// Error begins with the setting.
func (e *SettingError) Error() string { return fmt.Sprintf("LIVEBRIDGE_%s: %v", e.Setting, e.Err) }

// Unwrap returns what is wrong with it.
func (e *SettingError) Unwrap() error { return e.Err }

func settingError(setting string, err error) error { return &SettingError{setting, err} }
