package membership

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"

	"github.com/segmentio/kafka-go"

	"livebridge/transports/shares"
)

// protocolName names the assignment to the group. All members must know it: a change of the form of the user data needs
// another name.
const protocolName = "livebridge-sticky"

// sticky shares the partitions out evenly and leaves each, as far as that allows, where it was.
type sticky struct{ held func() holding }

// holding is what a member had in its last generation. Its byte form, the user data, is uvarints: the generation, then
// the partitions.
type holding struct {
	generation int32 // 0: none yet
	partitions []int
}

// ProtocolName implements kafka.GroupBalancer.
func (sticky) ProtocolName() string { return protocolName }

// UserData implements kafka.GroupBalancer.
func (s sticky) UserData() ([]byte, error) {
	h := s.held()
	b := binary.AppendUvarint(nil, uint64(max(h.generation, 0)))
	for _, p := range h.partitions {
		b = binary.AppendUvarint(b, uint64(p))
	}
	return b, nil
}

// decodeHolding decodes user data. What cannot be decoded was not held.
func decodeHolding(data []byte) (h holding) {
	generation, n := binary.Uvarint(data)
	if n <= 0 || generation > math.MaxInt32 {
		return h
	}
	h.generation = int32(generation)
	for data = data[n:]; len(data) > 0; data = data[n:] {
		var p uint64
		if p, n = binary.Uvarint(data); n <= 0 || p > math.MaxInt32 {
			return h
		}
		h.partitions = append(h.partitions, int(p))
	}
	return h
}

// AssignGroups implements kafka.GroupBalancer. Only the group's leader is asked, and any member may be that.
func (sticky) AssignGroups(members []kafka.GroupMember, found []kafka.Partition) kafka.GroupMemberAssignments {
	members = slices.Clone(members)
	had := make(map[string]holding)
	for _, m := range members {
		had[m.ID] = decodeHolding(m.UserData)
	}
	slices.SortFunc(members, func(a, b kafka.GroupMember) int { // of two that claim the same, the later one is right
		return cmp.Or(-cmp.Compare(had[a.ID].generation, had[b.ID].generation), cmp.Compare(a.ID, b.ID))
	})
	held := make([][]int, len(members))
	for i, m := range members {
		held[i] = had[m.ID].partitions
	}
	out := make(kafka.GroupMemberAssignments)
	for topic, numbers := range byTopic(found) {
		for i, share := range shares.Out(held, numbers) {
			if out[members[i].ID] == nil {
				out[members[i].ID] = make(map[string][]int)
			}
			out[members[i].ID][topic] = share
		}
	}
	return out
}

func byTopic(found []kafka.Partition) map[string][]int {
	out := make(map[string][]int)
	for _, p := range found {
		out[p.Topic] = append(out[p.Topic], p.ID)
	}
	for _, numbers := range out {
		slices.Sort(numbers)
	}
	return out
}
