package cluster

import (
	"errors"
	"fmt"

	"livebridge/bridge/processor"
	"livebridge/bridge/record"
)

// A record of the intake log begins with the version of its form and with what it is.
//
//	version(1) callback(1) input
//	version(1) command(1) id(16) input
//	version(1) tick(1)
//
// A tick says nothing: whoever reads it knows that all before it was read, and what time the log's clock shows.
const intakeVersion = 1

// recordKind is what a record of the intake is.
type recordKind byte

const (
	recordCallback recordKind = iota
	recordCommand
	recordTick
)

// errIntakeVersion says that a record was written by another version.
var errIntakeVersion = errors.New("unsupported version of an intake record; " +
	"another version of livebridge, or something else, has written it")

// commandID names an operator's command, so that whoever has given it finds its result.
type commandID [16]byte

// intakeRecord is a record of the intake, read.
type intakeRecord struct {
	kind    recordKind
	command commandID
	input   *processor.Input // nil: of a tick
}

func appendCallback(dst []byte, in *processor.Input) []byte {
	return processor.AppendInput(append(dst, intakeVersion, byte(recordCallback)), in)
}

func appendCommand(dst []byte, id commandID, in *processor.Input) []byte {
	return processor.AppendInput(append(append(dst, intakeVersion, byte(recordCommand)), id[:]...), in)
}

func tick() []byte { return []byte{intakeVersion, byte(recordTick)} }

// readIntakeRecord reads a record of the intake. It keeps nothing of value. The error is errIntakeVersion where a newer
// version may know more.
func readIntakeRecord(value []byte) (r intakeRecord, err error) {
	if len(value) == 0 || value[0] != intakeVersion {
		return r, errIntakeVersion
	}
	head := record.NewReader(value[1:], nil)
	r.kind = recordKind(head.Byte())
	switch r.kind {
	case recordTick:
		return r, head.Err()
	case recordCallback:
	case recordCommand:
		r.command = head.Bytes16()
	default:
		return r, errIntakeVersion
	}
	if head.Err() != nil {
		return r, head.Err()
	}
	if r.input, err = processor.ReadInput(head.Rest()); err != nil {
		return r, err
	}
	return r, r.check()
}

// check returns an error for an input that does not come by the intake, or lacks what its action needs.
func (r *intakeRecord) check() error {
	switch r.input.Action {
	case processor.Arrive:
		if r.input.Arrival == nil || r.kind != recordCallback {
			return errors.New("intake record: a callback without its arrival")
		}
	case processor.Release, processor.Purge, processor.Replay:
		if r.kind != recordCommand {
			return errors.New("intake record: a command without its id")
		}
	default:
		return fmt.Errorf("intake record: action %d does not come by the intake", r.input.Action)
	}
	return nil
}
