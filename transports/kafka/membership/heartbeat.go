package membership

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/heartbeat"
)

// Heartbeat asks the coordinator of a group once whether it counts a member of a generation as its own; nil: it does.
// The library's own takes the response's error for the time that the broker has throttled it, and asks any broker.
func Heartbeat(ctx context.Context, c *kafka.Client, group string, generation int32, member string) error {
	m, err := c.Transport.RoundTrip(ctx, c.Addr, &heartbeatRequest{
		&heartbeat.Request{GroupID: group, GenerationID: generation, MemberID: member}})
	if err != nil {
		return err
	}
	answer, ok := m.(*heartbeatResponse)
	if !ok {
		return fmt.Errorf("unexpected response %T to a heartbeat", m)
	}
	if answer.code != 0 {
		return kafka.Error(answer.code)
	}
	return nil
}

// heartbeatVersion is one that every broker has which replicas can use.
const heartbeatVersion = 1

// heartbeatRequest is a heartbeat that goes to the group's coordinator and whose response is decoded here.
type heartbeatRequest struct{ *heartbeat.Request }

// Group implements protocol.GroupMessage.
func (r *heartbeatRequest) Group() string { return r.GroupID }

// Required implements protocol.RawExchanger.
func (r *heartbeatRequest) Required(map[protocol.ApiKey]int16) bool { return true }

// RawExchange implements protocol.RawExchanger. The response is:
//
//	size             int32
//	correlation id   int32
//	throttle time    int32
//	error            int16
func (r *heartbeatRequest) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	if err := protocol.WriteRequest(rw, heartbeatVersion, 1, "livebridge", r.Request); err != nil {
		return nil, err
	}
	var b [14]byte
	if _, err := io.ReadFull(rw, b[:]); err != nil {
		return nil, err
	}
	if binary.BigEndian.Uint32(b[:]) != uint32(len(b)-4) {
		return nil, errHeartbeat
	}
	return &heartbeatResponse{code: int16(binary.BigEndian.Uint16(b[12:]))}, nil
}

var errHeartbeat = errors.New("a response of an unexpected size to a heartbeat")

// heartbeatResponse is the answer of a coordinator.
type heartbeatResponse struct{ code int16 }

// ApiKey implements protocol.Message.
func (*heartbeatResponse) ApiKey() protocol.ApiKey { return protocol.Heartbeat } //nolint:staticcheck // its name
