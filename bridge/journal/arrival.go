package journal

import (
	"encoding/binary"
	"fmt"

	"livebridge/bridge"
)

// appendArrival appends the byte form of a callback that has been verified: what the journal decides on, and all of it.
// Numbers are varints, texts carry their length.
//
//	event identified(1) [ session ordered(16) discriminated(16) data ] sum(16) signed(16) expires strict(1) key reason raw name
//
// The event is a record as in table h; identified is 1 when its ID waits for the commit.
func appendArrival(dst []byte, a *bridge.Arrival) []byte {
	dst = appendText(dst, appendEvent(nil, &a.Event))
	dst = append(dst, boolByte(a.Identity != nil))
	if i := a.Identity; i != nil {
		dst = binary.AppendVarint(dst, int64(i.Session))
		dst = appendText(append(append(dst, i.Ordered[:]...), i.Discriminated[:]...), i.Data)
	}
	dst = append(append(dst, a.Signature.Sum[:]...), a.Signature.Signed[:]...)
	dst = append(binary.AppendVarint(dst, int64(a.Signature.Expires)), boolByte(a.Signature.Strict))
	dst = appendText(appendText(dst, a.Signature.Key), a.Reason)
	return appendText(appendText(dst, a.Raw), a.EventName)
}

// readArrival reads what appendArrival has written. The arrival keeps nothing of value.
func readArrival(value []byte) (*bridge.Arrival, error) {
	r := reader{rest: value}
	e, err := readEvent(r.bytes())
	if err != nil {
		return nil, fmt.Errorf("arrival: %w", err)
	}
	a := &bridge.Arrival{Event: *e}
	if r.byte() == 1 {
		a.Identity = &bridge.Identity{
			Session: bridge.Millis(r.varint()), Ordered: r.bytes16(), Discriminated: r.bytes16(), Data: r.clone(),
		}
	}
	a.Signature = bridge.Signature{
		Sum: r.bytes16(), Signed: r.bytes16(), Expires: bridge.Millis(r.varint()), Strict: r.byte() == 1,
		Key: r.text(),
	}
	a.Reason, a.Raw, a.EventName = bridge.Reason(r.text()), r.clone(), r.text()
	if r.err != nil {
		return nil, fmt.Errorf("arrival: %w", r.err)
	}
	return a, nil
}

func boolByte(set bool) byte {
	if set {
		return 1
	}
	return 0
}
