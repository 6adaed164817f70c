package cluster

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/processor/processortest"
)

// FuzzReadIntakeRecord: what can be read of a record of the intake is written again as it was understood, and nothing
// makes the reader panic.
func FuzzReadIntakeRecord(f *testing.F) {
	purge := &processor.Input{Action: processor.Purge, Queue: bridge.DeadLetterQueue, Numbers: []uint64{1, 2}}
	f.Add(callbackRecord(processortest.Push("a", session, bridge.PhaseDone)))
	f.Add(callbackRecord(traced(processortest.Push("a", session, bridge.PhaseDone))))
	f.Add(commandRecord(commandID{1}, purge))
	f.Add(memoryRecord(&processor.Memory{}))
	f.Add(tick())
	f.Add([]byte{byte(processor.Reject)})
	f.Fuzz(func(t *testing.T, value []byte) {
		r, err := readIntakeRecord(value)
		if err != nil || r.kind == recordTick {
			return
		}
		again := written(&r)
		second, err := readIntakeRecord(again)
		if err != nil || second.command != r.command || r.kind == recordCallback &&
			!reflect.DeepEqual(second.input.Arrival.Event.Trace, r.input.Arrival.Event.Trace) ||
			!bytes.Equal(written(&second), again) {
			t.Errorf("%+v became %+v, %v", r, second, err)
		}
	})
}

// written returns the bytes of a record; of a callback only what its arrival has, since nobody reads the rest.
func written(r *intakeRecord) []byte {
	switch r.kind {
	case recordCommand:
		return commandRecord(r.command, r.input)
	case recordMemory:
		return memoryRecord(r.input.Memory)
	}
	return callbackRecord(r.input.Arrival)
}

// TestNewerIntakeRecord: what a newer version may know is told from what nobody of ours has written.
func TestNewerIntakeRecord(t *testing.T) {
	t.Parallel()
	for first, newer := range map[byte]bool{0x84: true, 0xff: true, 0x40: true, byte(processor.Reject): false, 0: false} {
		_, err := readIntakeRecord([]byte{first, 1, 1})
		if err == nil || errors.Is(err, errIntakeVersion) != newer {
			t.Errorf("a record that begins with %#x: %v", first, err)
		}
	}
}
