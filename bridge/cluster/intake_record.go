package cluster

import (
	"errors"
	"fmt"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/record"
)

// A record of the intake log is the byte form of a callback's input, which begins with its action, or begins with a
// byte of its own. Both are a version of their form too: what changes gets another one.
//
//	input                      a callback, or a piece of memory
//	traced(1) trace input      a callback with its place in a trace: flags(1) trace id(16) span id(8) tracestate
//	command(1) id(16) input    an operator's command
//	tick(1)                    nothing: whoever reads it knows that all before it was read, and what time the log's
//	                           clock shows
//	0x84                       none: the intake log on JetStream has the byte for messages of several records
const (
	recordCallback = recordKind(processor.Arrive)
	recordCommand  = recordKind(0x81)
	recordTick     = recordKind(0x82)
	recordTraced   = recordKind(0x83)
	recordMemory   = recordKind(processor.Remember)
)

// recordKind is what a record of the intake is.
type recordKind byte

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

func callbackRecord(a *bridge.Arrival) []byte {
	return processor.AppendInput(appendTrace(nil, a.Event.Trace), &processor.Input{Action: processor.Arrive, Arrival: a})
}

func commandRecord(id commandID, in *processor.Input) []byte {
	return processor.AppendInput(append([]byte{byte(recordCommand)}, id[:]...), in)
}

func memoryRecord(m *processor.Memory) []byte {
	return processor.AppendInput(nil, &processor.Input{Action: processor.Remember, Memory: m})
}

func tick() []byte { return []byte{byte(recordTick)} }

// readIntakeRecord reads a record of the intake. It keeps nothing of value. The error is errIntakeVersion where a newer
// version may know more.
func readIntakeRecord(value []byte) (r intakeRecord, err error) {
	if len(value) == 0 {
		return r, errors.New("intake record: it is empty")
	}
	r.kind = recordKind(value[0])
	switch {
	case r.kind == recordTick:
		return r, nil
	case r.kind == recordCommand:
		head := record.NewReader(value[1:], nil)
		if r.command, value = head.Bytes16(), head.Rest(); head.Err() != nil {
			return r, fmt.Errorf("intake record: %w", head.Err())
		}
	case r.kind == recordTraced:
		return readTraced(value[1:])
	case r.kind > recordTraced, r.kind > maxAction && r.kind < recordCommand:
		return r, errIntakeVersion
	}
	if r.input, err = processor.ReadInput(value); err != nil {
		return r, err
	}
	return r, r.check()
}

// maxAction is the greatest of the bytes that inputs may begin with.
const maxAction = recordMemory

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
	case processor.Remember:
		if r.kind != recordMemory {
			return errors.New("intake record: a command that is a piece of memory")
		}
	default:
		return fmt.Errorf("intake record: action %d does not come by the intake", r.input.Action)
	}
	return nil
}
