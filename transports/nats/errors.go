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

// tooLarge is the server's code for a message above the stream's limit.
const tooLarge jetstream.ErrorCode = 10054

// classify tells what the broker will never take from what it may take later: a message that is too large or not well
// formed, and everything else, a full stream included.
func classify(err error) error {
	var api *jetstream.APIError
	switch {
	case errors.Is(err, nats.ErrMaxPayload), errors.Is(err, nats.ErrBadSubject), errors.Is(err, nats.ErrBadHeaderMsg):
		return bridge.Rejected("NATS: %w", err)
	case errors.As(err, &api) && api.ErrorCode == tooLarge:
		return bridge.Rejected("NATS: %w", err)
	}
	return bridge.Unavailable("NATS: %w", err)
}

// refusal is a stream or a setting that will not do, however often it is looked at.
type refusal struct{ text string }

// Error says what is wrong and what to do.
func (r *refusal) Error() string { return r.text }

// refuses turns the server's refusal to make a stream as it is asked into ours; nil: trying again may help.
func refuses(name string, err error) error {
	var api *jetstream.APIError
	if !errors.As(err, &api) || (api.Code != 400 && api.Code != 403 && api.ErrorCode != noCluster) {
		return nil
	}
	advice := "change the settings NATS_STREAM, NATS_SUBJECT_PREFIX, NATS_REPLICAS, NATS_MAX_AGE or NATS_MAX_BYTES, or create the stream by hand"
	if api.ErrorCode == jetstream.JSErrCodeStreamNameInUse || api.ErrorCode == subjectsOverlap {
		advice = "another stream has the subjects: set NATS_STREAM to its name, set another NATS_SUBJECT_PREFIX, or change that stream"
	}
	if api.ErrorCode == noCluster {
		advice = "the server is a single one: set NATS_REPLICAS to 1"
	}
	return &refusal{fmt.Sprintf("stream %s cannot be made at NATS: %v: %s", name, err, advice)}
}

// subjectsOverlap is the server's code for subjects that another stream has.
const subjectsOverlap jetstream.ErrorCode = 10065

// noCluster is the server's code for replicas where there is nowhere to put them.
const noCluster jetstream.ErrorCode = 10074

func settingError(setting string, err error) error {
	return fmt.Errorf("LIVEBRIDGE_%s: %w", setting, err)
}
