package nats

import (
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"livebridge/bridge"
)

// errNoStream is the answer of a server without a stream for the subject.
var errNoStream = errors.New("no stream has the subject")

// otherStream is an acknowledgement by another stream than the expected one.
type otherStream struct{ name, want string }

// Error names both streams.
func (e *otherStream) Error() string {
	return fmt.Sprintf("acknowledged by stream %q instead of %s: retrying until %s acknowledges the event",
		e.name, e.want, e.want)
}

// Error codes in the server's answers to a message.
const (
	tooLarge         jetstream.ErrorCode = 10054 // above the stream's current limit
	headersTooLarge  jetstream.ErrorCode = 10097
	unexpectedStream jetstream.ErrorCode = 10060
)

// classify separates messages that the broker will never accept, because they are too large or malformed, from those
// that it may accept later, which includes a full stream.
func classify(err error) error {
	var api *jetstream.APIError
	switch {
	case errors.Is(err, nats.ErrMaxPayload),
		errors.As(err, &api) && (api.ErrorCode == tooLarge || api.ErrorCode == headersTooLarge):
		return bridge.Rejected(bridge.RejectionTooLarge, "NATS: %w", err)
	case errors.Is(err, nats.ErrBadSubject):
		return bridge.Rejected(bridge.RejectionInvalidTopic, "NATS: %w", err)
	case errors.Is(err, nats.ErrBadHeaderMsg):
		return bridge.Rejected(bridge.RejectionRefused, "NATS: %w", err)
	}
	return bridge.Unavailable("NATS: %w", err)
}

// contradictsCheck reports whether an answer to a message contradicts the last check of the stream.
func contradictsCheck(err error) bool {
	var other *otherStream
	var api *jetstream.APIError
	return errors.Is(err, errNoStream) || errors.As(err, &other) ||
		errors.As(err, &api) && api.ErrorCode == unexpectedStream
}

// unusableError is a stream, a limit or a permission that prevents publishing until an operator fixes it.
type unusableError struct{ text string }

// Error says what is wrong and what to do.
func (m *unusableError) Error() string { return m.text }

// settingPrefix begins the name of every setting.
const settingPrefix = bridge.SettingPrefix

// settingError returns the error of one setting. err says what is wrong and what to do.
func settingError(setting string, err error) error { return bridge.NewSettingError(setting, err, "") }
