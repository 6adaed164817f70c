package processor

import (
	"encoding/binary"
	"fmt"

	"livebridge/bridge"
	"livebridge/bridge/record"
)

// AppendInput appends the byte form of an input: all of it but the time, which the log gives it. Numbers are varints,
// texts carry their length, and a list has its count before it.
//
//	action(1) arrival(1) [ arrival ] queue numbers events [ event reason detail ] idle unended [ memory ]
//
// The arrival is there when its byte is 1, what is rejected with Reject alone, and the memory (see appendMemory)
// with Remember. Each event is a record in a text; a lane is its kind(1), domain, app and stream.
func AppendInput(dst []byte, in *Input) []byte {
	dst = record.AppendBool(append(dst, byte(in.Action)), in.Arrival != nil)
	if in.Arrival != nil {
		dst = appendArrival(dst, in.Arrival)
	}
	dst = binary.AppendUvarint(record.AppendText(dst, in.Queue), uint64(len(in.Numbers)))
	for _, n := range in.Numbers {
		dst = binary.AppendUvarint(dst, n)
	}
	dst = binary.AppendUvarint(dst, uint64(len(in.Events)))
	for _, e := range in.Events {
		dst = record.AppendText(dst, record.AppendEvent(nil, e))
	}
	if in.Action == Reject {
		dst = record.AppendText(dst, record.AppendEvent(nil, in.Rejected.Event))
		dst = record.AppendText(record.AppendText(dst, in.Rejected.Reason), in.Rejected.Detail)
	}
	dst = appendLanes(appendLanes(dst, in.Idle), in.Unended)
	if in.Action == Remember {
		dst = appendMemory(dst, in.Memory)
	}
	return dst
}

func appendLanes(dst []byte, lanes []bridge.Lane) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(lanes)))
	for _, l := range lanes {
		dst = appendLane(dst, l)
	}
	return dst
}

func appendLane(dst []byte, l bridge.Lane) []byte {
	dst = record.AppendText(append(dst, byte(l.Kind)), l.Domain)
	return record.AppendText(record.AppendText(dst, l.App), l.Stream)
}

func readLanes(r *record.Reader) (lanes []bridge.Lane) {
	for n := r.Uvarint(); n > 0 && r.Err() == nil; n-- {
		lanes = append(lanes, readLane(r))
	}
	return lanes
}

func readLane(r *record.Reader) bridge.Lane {
	return bridge.Lane{Kind: bridge.Kind(r.Byte()), Domain: r.Text(), App: r.Text(), Stream: r.Text()}
}

// ReadInput reads what AppendInput has written. The input keeps nothing of value.
func ReadInput(value []byte) (*Input, error) {
	r := record.NewReader(value, nil)
	in := &Input{Action: Action(r.Byte())}
	if in.Action >= actions {
		return nil, fmt.Errorf("input: unknown action %d", in.Action)
	}
	if err := in.read(&r); err != nil {
		return nil, fmt.Errorf("input: %w", err)
	}
	return in, nil
}

// read takes what stands behind the action.
func (in *Input) read(r *record.Reader) (err error) {
	if r.Bool() {
		if in.Arrival, err = readArrival(r); err != nil {
			return err
		}
	}
	in.Queue = bridge.ReviewQueue(r.Text())
	for n := r.Uvarint(); n > 0 && r.Err() == nil; n-- {
		in.Numbers = append(in.Numbers, r.Uvarint())
	}
	for n := r.Uvarint(); n > 0 && r.Err() == nil; n-- {
		e, err := record.ReadEvent(r.Bytes())
		if err != nil {
			return err
		}
		in.Events = append(in.Events, e)
	}
	if in.Action == Reject {
		if in.Rejected.Event, err = record.ReadEvent(r.Bytes()); err != nil {
			return err
		}
		in.Rejected.Reason, in.Rejected.Detail = bridge.Rejection(r.Text()), r.Text()
	}
	in.Idle, in.Unended = readLanes(r), readLanes(r)
	if in.Action == Remember {
		if in.Memory, err = readMemory(r); err != nil {
			return fmt.Errorf("memory: %w", err)
		}
	}
	return r.Err()
}

// appendArrival appends a callback that has been verified.
//
//	event identified(1) [ session ordered(16) discriminated(16) data ]
//	sum(16) signed(16) expires strict(1) key reason raw name
//
// Identified is 1 when the event's ID waits for the commit.
func appendArrival(dst []byte, a *bridge.Arrival) []byte {
	dst = record.AppendText(dst, record.AppendEvent(nil, &a.Event))
	dst = record.AppendBool(dst, a.Identity != nil)
	if i := a.Identity; i != nil {
		dst = binary.AppendVarint(dst, int64(i.Session))
		dst = record.AppendText(append(append(dst, i.Ordered[:]...), i.Discriminated[:]...), i.Data)
	}
	dst = append(append(dst, a.Signature.Sum[:]...), a.Signature.Signed[:]...)
	dst = record.AppendBool(binary.AppendVarint(dst, int64(a.Signature.Expires)), a.Signature.Strict)
	dst = record.AppendText(record.AppendText(dst, a.Signature.Key), a.Reason)
	return record.AppendText(record.AppendText(dst, a.Raw), a.EventName)
}

// readArrival takes what appendArrival has written.
func readArrival(r *record.Reader) (*bridge.Arrival, error) {
	e, err := record.ReadEvent(r.Bytes())
	if err != nil {
		return nil, fmt.Errorf("arrival: %w", err)
	}
	a := &bridge.Arrival{Event: *e}
	if r.Bool() {
		a.Identity = &bridge.Identity{
			Session: bridge.Millis(r.Varint()), Ordered: r.Bytes16(), Discriminated: r.Bytes16(), Data: r.Clone(),
		}
	}
	a.Signature = bridge.Signature{
		Sum: r.Bytes16(), Signed: r.Bytes16(), Expires: bridge.Millis(r.Varint()), Strict: r.Bool(), Key: r.Text(),
	}
	a.Reason, a.Raw, a.EventName = bridge.Reason(r.Text()), r.Clone(), r.Text()
	if r.Err() != nil {
		return nil, fmt.Errorf("arrival: %w", r.Err())
	}
	return a, nil
}
