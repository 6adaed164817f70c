package journal

import (
	"encoding/binary"
	"fmt"

	"livebridge/bridge"
	"livebridge/bridge/record"
)

// appendArrival appends the byte form of a callback that has been verified: what the journal decides on, and all of it.
// Numbers are varints, texts carry their length.
//
//	event identified(1) [ session ordered(16) discriminated(16) data ] sum(16) signed(16) expires strict(1) key reason raw name
//
// The event is a record as in table h; identified is 1 when its ID waits for the commit.
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

// readArrival reads what appendArrival has written. The arrival keeps nothing of value.
func readArrival(value []byte) (*bridge.Arrival, error) {
	r := record.NewReader(value, nil)
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
		Sum: r.Bytes16(), Signed: r.Bytes16(), Expires: bridge.Millis(r.Varint()), Strict: r.Bool(),
		Key: r.Text(),
	}
	a.Reason, a.Raw, a.EventName = bridge.Reason(r.Text()), r.Clone(), r.Text()
	if r.Err() != nil {
		return nil, fmt.Errorf("arrival: %w", r.Err())
	}
	return a, nil
}
